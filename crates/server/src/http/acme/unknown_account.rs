//! What clients can do whose account the server does not know, such as after a move from another
//! server. The commands are those of `docs/manual/moving.md`, for the client that its `User-Agent`
//! names.

use acme::problem::Kind;
use axum::http::HeaderValue;

use crate::service::Error;

/// The error, with the client's own way to register again where its account does not exist.
pub(super) fn with_advice(error: Error, agent: Option<&HeaderValue>, directory: &str) -> Error {
    let Error::Problem(mut problem) = error else {
        return error;
    };
    let agent = agent.and_then(|agent| agent.to_str().ok());
    if problem.kind == Kind::AccountDoesNotExist
        && let Some(advice) = agent.and_then(|agent| advice(agent, directory))
    {
        problem.detail.push(' ');
        problem.detail.push_str(&advice);
    }
    Error::Problem(problem)
}

fn advice(agent: &str, directory: &str) -> Option<String> {
    let names = |client: &str| agent.contains(client);
    Some(if names("CertbotACMEClient/") {
        format!(
            "To register again, remove this server's folder below accounts/ of certbot's configuration \
             and the line \"account = …\" of its renewal/*.conf, then run `certbot register --server \
             {directory}`."
        )
    } else if names("lego-cli/") {
        "To register again, remove this server's folder below accounts/ of lego's --path, then run \
         `lego … run` once instead of `lego … renew`."
            .to_owned()
    } else if names("dehydrated/") {
        "To register again, remove this server's folder below accounts/ of dehydrated's BASEDIR, then \
         run `dehydrated --register --accept-terms`."
            .to_owned()
    } else if names("uacme/") {
        format!("To register again, run `uacme --acme-url {directory} new`.")
    } else if names("Caddy/") {
        "To register again, stop Caddy, remove the folder users of this server below acme/ of Caddy's \
         data, and start it."
            .to_owned()
    } else {
        return None;
    })
}

#[cfg(test)]
mod tests {
    use acme::Problem;

    use super::*;

    const DIRECTORY: &str = "https://ca.example/acme/acme/directory";

    fn detail(kind: Kind, agent: &str) -> String {
        let problem = Problem::new(kind, "It failed.").into();
        let agent = HeaderValue::from_str(agent).unwrap();
        with_advice(problem, Some(&agent), DIRECTORY).to_string()
    }

    #[test]
    fn a_client_is_told_its_own_command_with_the_directory() {
        let uacme = "uacme/1.7.4 (https://github.com/ndilieto/uacme)";
        assert_eq!(
            detail(Kind::AccountDoesNotExist, uacme),
            format!("It failed. To register again, run `uacme --acme-url {DIRECTORY} new`.")
        );
        let certbot = "CertbotACMEClient/2.1.0 (certbot; Linux)";
        let told = detail(Kind::AccountDoesNotExist, certbot);
        assert!(
            told.contains(&format!("`certbot register --server {DIRECTORY}`")),
            "{told}"
        );
    }

    #[test]
    fn other_errors_and_clients_get_no_advice() {
        assert_eq!(detail(Kind::Malformed, "uacme/1.7.4"), "It failed.");
        assert_eq!(detail(Kind::AccountDoesNotExist, "curl/8"), "It failed.");
    }
}
