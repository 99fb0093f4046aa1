//! What the verbs on the configuration in force promise.

use ca::config::Restriction;

use super::BackEnd;
use crate::AcceptedConfiguration;

super::for_each_back_end!(the_configuration_accepted_last_is_read_back);

async fn the_configuration_accepted_last_is_read_back(store: &impl BackEnd) {
    assert_eq!(store.accepted_configuration().await, Ok(None));
    let first = AcceptedConfiguration {
        ca_json: "00".to_owned(),
        riser_toml: Some("01".to_owned()),
        restrictions: vec![Restriction {
            file: "riser.toml".to_owned(),
            provisioner: Some("acme".to_owned()),
            place: "caa".to_owned(),
            most: Some(0),
        }],
    };
    let second = AcceptedConfiguration {
        riser_toml: None,
        ..first.clone()
    };
    for accepted in [first, second] {
        store.accept_configuration(accepted.clone()).await.unwrap();
        assert_eq!(store.accepted_configuration().await, Ok(Some(accepted)));
    }
}
