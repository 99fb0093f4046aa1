//! Shows how far a long task is, on a terminal only.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use store::Progress;

/// A line on stderr that is drawn over, and gone at the end.
pub(super) struct Bar {
    bar: ProgressBar,
}

impl Bar {
    /// Shows nothing yet, and never anything where stderr is not a terminal.
    pub(super) fn new() -> Self {
        let bar = ProgressBar::no_length();
        bar.set_style(style(WITHOUT_TOTAL));
        Self { bar }
    }

    /// Shows this.
    pub(super) fn show(&self, progress: Progress) {
        if self.bar.message() != progress.doing {
            let template = if progress.total == 0 {
                WITHOUT_TOTAL
            } else {
                WITH_TOTAL
            };
            self.bar.set_style(style(template));
            self.bar.set_message(progress.doing);
            self.bar.enable_steady_tick(TICK);
        }
        self.bar.set_length(progress.total);
        self.bar.set_position(progress.done);
    }

    /// Removes it.
    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.end();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

const WITH_TOTAL: &str = "{spinner} {msg} [{bar:40}] {percent}% {eta}";
const WITHOUT_TOTAL: &str = "{spinner} {msg} {elapsed}";
const TICK: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_the_line_are_valid() {
        for template in [WITH_TOTAL, WITHOUT_TOTAL] {
            assert!(ProgressStyle::with_template(template).is_ok());
        }
    }
}
