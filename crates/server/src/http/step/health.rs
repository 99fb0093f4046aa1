//! `GET /health`: whether the server serves, and known problems that do not stop it.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use ca::api::Health;

use super::json;
use crate::service::NativeService;

/// `status` stays `ok` while certificates are issued: health probes restart a server that reports anything else.
/// Without a new certificate of its own, the server will soon issue none; without its store it issues none now.
pub(super) async fn show(State(native): State<NativeService>) -> Response {
    let (status, health) = report(&Faults {
        configuration: native.configuration_fault(),
        certificate: native.certificate_fault(),
        store: native.store_fault(),
    });
    json(status, &health)
}

/// What is not in order, each with its reason.
#[derive(Default)]
struct Faults {
    configuration: Option<String>,
    certificate: Option<String>,
    store: Option<&'static str>,
}

fn report(faults: &Faults) -> (StatusCode, Health) {
    let configuration = faults.configuration.as_ref().map(|fault| {
        let fault = fault.replace('\n', "; ");
        format!("the configuration files were not taken over: {fault}")
    });
    let certificate = faults.certificate.as_ref();
    let certificate =
        certificate.map(|fault| format!("the server's own certificate cannot be renewed: {fault}"));
    let store = faults.store.map(str::to_owned);
    let problems = [store, configuration, certificate];
    let problems = problems.into_iter().flatten().collect();
    match (faults.store, &faults.certificate) {
        (Some(_), _) => (StatusCode::SERVICE_UNAVAILABLE, Health::error(problems)),
        (None, Some(_)) => (StatusCode::OK, Health::error(problems)),
        (None, None) => (StatusCode::OK, Health::ok(problems)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_of_the_configuration_is_a_remark_and_the_others_are_not_ok() {
        let (status, health) = report(&Faults {
            configuration: Some("ca.json: a\nb".to_owned()),
            ..Faults::default()
        });
        assert_eq!((status, health.status.as_str()), (StatusCode::OK, "ok"));
        assert!(health.problems[0].ends_with("ca.json: a; b"));
        let (status, health) = report(&Faults {
            store: Some("the store has failed"),
            ..Faults::default()
        });
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(health.status, "error");
        assert_eq!(health.problems, ["the store has failed"]);
        let (status, health) = report(&Faults {
            certificate: Some("a name".to_owned()),
            ..Faults::default()
        });
        assert_eq!((status, health.status.as_str()), (StatusCode::OK, "error"));
    }
}
