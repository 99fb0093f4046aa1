//! The figures of a store as text and as JSON.

use jiff::Timestamp;
use serde_json::json;
use store::{Stats, StoreFile, TableStats};

/// For people.
pub(super) fn text(file: &StoreFile, stats: &Stats) -> String {
    let of = &stats.certificates;
    let mut text = format!(
        "Store:         {} (schema {})\n\
         File:          {}, of which {} are free to be used again\n\
         Log:           {}\n\
         Certificates:  {} unexpired, {} expired, {} revoked\n\n",
        file.path().display(),
        stats.schema,
        size(stats.file_bytes),
        size(stats.free_bytes),
        size(stats.log_bytes),
        grouped(of.unexpired),
        grouped(of.expired),
        grouped(of.revoked),
    );
    let head = ["TABLE", "ROWS", "DATA", "INDEXES", "OLDEST", "NEWEST"].map(str::to_owned);
    let rows = stats.tables.iter().map(row);
    for row in std::iter::once(head).chain(rows) {
        let [name, rows, data, indexes, oldest, newest] = row;
        let line = format!("{name:<22}{rows:>12}{data:>12}{indexes:>12}  {oldest:<22}{newest}");
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// For programs.
pub(super) fn json(file: &StoreFile, stats: &Stats) -> serde_json::Result<String> {
    let mut all = json!({ "path": file.path() });
    if let (Some(all), serde_json::Value::Object(stats)) =
        (all.as_object_mut(), serde_json::to_value(stats)?)
    {
        all.extend(stats);
    }
    Ok(format!("{}\n", serde_json::to_string_pretty(&all)?))
}

fn row(table: &TableStats) -> [String; 6] {
    let time = |at: Option<Timestamp>| at.map_or_else(String::new, |at| format!("{at:.0}"));
    [
        table.name.clone(),
        grouped(table.rows),
        size(table.bytes),
        size(table.index_bytes),
        time(table.oldest),
        time(table.newest),
    ]
}

/// A size in the unit that suits it.
pub(super) fn size(bytes: u64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB"];
    let (mut tenths, mut unit) = (bytes.saturating_mul(10) / 1024, 0);
    while tenths >= 10_240 && unit + 1 < units.len() {
        tenths /= 1024;
        unit += 1;
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, units[unit])
}

/// A number with commas between thousands.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_counts_are_short_and_true() {
        assert_eq!(size(0), "0.0 KiB");
        assert_eq!(size(4096), "4.0 KiB");
        assert_eq!(size(1_500_000), "1.4 MiB");
        assert_eq!(size(3 << 30), "3.0 GiB");
        assert_eq!(grouped(7), "7");
        assert_eq!(grouped(123_456), "123,456");
        assert_eq!(grouped(1_000_000), "1,000,000");
    }
}
