//! `GET /health`: whether the server serves, and known problems that do not stop it.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use ca::api::Health;

use super::json;
use crate::service::NativeService;

/// `status` stays `ok` while certificates are issued: health probes restart a server that reports anything else.
pub(super) async fn show(State(native): State<NativeService>) -> Response {
    let (status, health) = report(native.configuration_fault(), native.store_fault());
    json(status, &health)
}

fn report(configuration: Option<String>, store: Option<&str>) -> (StatusCode, Health) {
    let mut problems: Vec<_> = store.map(str::to_owned).into_iter().collect();
    problems.extend(configuration.map(|fault| {
        let fault = fault.replace('\n', "; ");
        format!("the configuration files were not taken over: {fault}")
    }));
    match store {
        None => (StatusCode::OK, Health::ok(problems)),
        Some(_) => (StatusCode::SERVICE_UNAVAILABLE, Health::error(problems)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_of_the_configuration_is_a_remark_and_one_of_the_store_is_not_ok() {
        let (status, health) = report(Some("ca.json: a\nb".to_owned()), None);
        assert_eq!((status, health.status.as_str()), (StatusCode::OK, "ok"));
        assert!(health.problems[0].ends_with("ca.json: a; b"));
        let (status, health) = report(None, Some("the store has failed"));
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(health.status, "error");
        assert_eq!(health.problems, ["the store has failed"]);
    }
}
