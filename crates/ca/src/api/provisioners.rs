//! `GET /provisioners`: a page of the list and the cursor of the next one.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::provisioner::Provisioner;

/// `GET /provisioners?cursor=&limit=`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Provisioners {
    /// The provisioners, as ca.json has them.
    pub provisioners: Vec<Value>,
    /// Where the next page begins; empty on the last one. Clients hand it back as it is.
    #[serde(default)]
    pub next_cursor: String,
}

/// Which page is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    first: usize,
    limit: usize,
}

/// The limit is not a number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("limit '{0}' is not an integer")]
pub struct BadPage(String);

const DEFAULT_LIMIT: usize = 20;
const MAX_LIMIT: i64 = 100;
/// A cursor is this many hexadecimal digits, the first eight of them the index, with the zeros
/// on its left cut off.
const CURSOR_DIGITS: usize = 40;
const INDEX_DIGITS: usize = 8;

impl Page {
    /// Reads the query's `cursor` and `limit`; empty is as good as absent. A cursor that was
    /// never handed out means a page beyond the last.
    ///
    /// # Errors
    /// When the limit is not a whole number.
    pub fn parse(cursor: &str, limit: &str) -> Result<Self, BadPage> {
        let limit = match limit {
            "" => 0,
            text => text.parse::<i64>().map_err(|_| BadPage(text.to_owned()))?,
        };
        let limit = if limit <= 0 {
            DEFAULT_LIMIT
        } else {
            usize::try_from(limit.min(MAX_LIMIT)).unwrap_or(DEFAULT_LIMIT)
        };
        let first = index(cursor).unwrap_or(usize::MAX);
        Ok(Self { first, limit })
    }
}

fn index(cursor: &str) -> Option<usize> {
    if cursor.len() > CURSOR_DIGITS || !cursor.bytes().all(|c| c.is_ascii_hexdigit()) {
        return None;
    }
    let padded = format!("{cursor:0>CURSOR_DIGITS$}");
    usize::from_str_radix(padded.get(..INDEX_DIGITS)?, 16).ok()
}

impl Provisioners {
    /// The page of a list, in the order of the configuration.
    #[must_use]
    pub fn page(all: &[Provisioner], page: Page) -> Self {
        let rest = all.get(page.first..).unwrap_or_default();
        let next_cursor = if rest.len() > page.limit {
            cursor(page.first + page.limit)
        } else {
            String::new()
        };
        Self {
            provisioners: rest
                .iter()
                .take(page.limit)
                .map(|provisioner| provisioner.raw().clone())
                .collect(),
            next_cursor,
        }
    }
}

fn cursor(index: usize) -> String {
    let rest = CURSOR_DIGITS - INDEX_DIGITS;
    let digits = format!("{index:0INDEX_DIGITS$x}{:0rest$}", 0);
    digits.trim_start_matches('0').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn provisioners(count: usize) -> Vec<Provisioner> {
        let list: Vec<Value> = (0..count)
            .map(|n| serde_json::json!({"type": "ACME", "name": format!("acme-{n}")}))
            .collect();
        let text = serde_json::json!({
            "root": "r", "crt": "c", "key": "k", "address": ":9000",
            "authority": {"provisioners": list}
        });
        let parsed = Config::parse(&text.to_string(), None);
        parsed.ok().unwrap().0.authority.provisioners
    }

    #[test]
    fn pages_follow_each_other_until_the_cursor_is_empty() {
        let all = provisioners(45);
        let mut cursor = String::new();
        let mut sizes = Vec::new();
        let mut seen = Vec::new();
        loop {
            let page = Provisioners::page(&all, Page::parse(&cursor, "").unwrap());
            sizes.push(page.provisioners.len());
            seen.extend(page.provisioners);
            cursor = page.next_cursor;
            if cursor.is_empty() {
                break;
            }
        }
        assert_eq!(sizes, [20, 20, 5]);
        assert_eq!(seen[44]["name"], "acme-44");
    }

    #[test]
    fn a_page_has_a_hundred_entries_at_most() {
        let all = provisioners(120);
        let page = Provisioners::page(&all, Page::parse("", "1000").unwrap());
        assert_eq!(page.provisioners.len(), 100);
    }

    #[test]
    fn a_limit_that_is_no_number_is_refused() {
        assert_eq!(
            Page::parse("", "ten").unwrap_err().to_string(),
            "limit 'ten' is not an integer"
        );
    }

    #[test]
    fn a_strange_cursor_is_beyond_the_last_page() {
        let all = provisioners(3);
        for cursor in ["zzzz", "ffffffff00000000000000000000000000000000", "ü"] {
            let page = Provisioners::page(&all, Page::parse(cursor, "").unwrap());
            assert!(page.provisioners.is_empty(), "{cursor}");
        }
    }
}
