//! A bar chart as SVG.

use std::fmt::Write as _;

/// Bars with one scale.
pub struct Panel {
    /// What the bars show, with its unit.
    pub title: String,
    /// Digits after the point.
    pub digits: usize,
    /// From top to bottom.
    pub groups: Vec<Group>,
}

/// Bars that compare with each other.
pub struct Group {
    /// What they have in common.
    pub label: String,
    /// From top to bottom.
    pub bars: Vec<Bar>,
}

/// A value.
pub struct Bar {
    /// Whose it is; the same one has the same colour everywhere.
    pub label: &'static str,
    /// Not negative.
    pub value: f64,
}

/// Draws panels one below the other, and a note below all.
#[must_use]
pub fn draw(panels: &[Panel], note: &str) -> String {
    let mut labels: Vec<&str> = Vec::new();
    for bar in panels
        .iter()
        .flat_map(|panel| &panel.groups)
        .flat_map(|group| &group.bars)
    {
        if !labels.contains(&bar.label) {
            labels.push(bar.label);
        }
    }
    let (mut body, mut y) = (String::new(), MARGIN);
    for panel in panels {
        y = draw_panel(&mut body, panel, &labels, y) + GAP;
    }
    text(&mut body, MARGIN, y + 4, note);
    y += MARGIN;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {y}\" width=\"{WIDTH}\" height=\"{y}\" \
         font-family=\"system-ui, sans-serif\" font-size=\"13\" fill=\"#222222\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n{body}</svg>\n"
    )
}

/// Draws one from `y` on; gives back where it ends.
fn draw_panel(body: &mut String, panel: &Panel, labels: &[&str], mut y: usize) -> usize {
    let bars = panel.groups.iter().flat_map(|group| &group.bars);
    let most = bars.map(|bar| bar.value).fold(f64::MIN_POSITIVE, f64::max);
    text(
        body,
        MARGIN,
        y + 14,
        &format!("<tspan font-weight=\"600\">{}</tspan>", panel.title),
    );
    y += 30;
    for group in &panel.groups {
        text(body, MARGIN, y + 14, &group.label);
        for bar in &group.bars {
            let colour = labels
                .iter()
                .position(|label| *label == bar.label)
                .unwrap_or_default();
            let width = bar.value / most * LONGEST;
            text(body, NAMES, y + 14, bar.label);
            let _ = writeln!(
                body,
                "<rect x=\"{BARS}\" y=\"{}\" width=\"{width:.1}\" height=\"14\" rx=\"2\" fill=\"{}\"/>\n\
                 <text x=\"{:.1}\" y=\"{}\">{:.*}</text>",
                y + 3,
                COLOURS[colour % COLOURS.len()],
                BARS as f64 + width + 6.0,
                y + 14,
                panel.digits,
                bar.value,
            );
            y += LINE;
        }
        y += GAP;
    }
    y
}

fn text(body: &mut String, x: usize, y: usize, text: &str) {
    let _ = writeln!(body, "<text x=\"{x}\" y=\"{y}\">{text}</text>");
}

const WIDTH: usize = 760;
const MARGIN: usize = 20;
const GAP: usize = 10;
const LINE: usize = 20;
/// Where the labels of bars begin, and where the bars.
const NAMES: usize = 110;
const BARS: usize = 200;
const LONGEST: f64 = 470.0;
const COLOURS: [&str; 4] = ["#b7410e", "#3b6ea5", "#8a8f98", "#d99a6c"];
