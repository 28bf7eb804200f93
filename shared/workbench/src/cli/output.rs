//! What a verb prints: aligned tables and lines for people, JSON for programs, errors, questions.
//! Invariant: text from elsewhere reaches a terminal without control characters, so it can neither move the cursor nor hide itself.

use super::exit::Exit;
use super::failure::{Failure, Hint};
use serde_json::Value;
use std::io::{self, IsTerminal, Write};

/// How a cell looks where colours are shown. The words carry the meaning alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    Good,
    Bad,
    Waiting,
    Dim,
}

impl Style {
    fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Good => "32",
            Self::Bad => "31",
            Self::Waiting => "33",
            Self::Dim => "2",
        }
    }
}

/// Who answers a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asking {
    /// Nobody: this is a script.
    Nobody,
    /// The person at the terminal.
    Person,
    /// A test.
    #[cfg(test)]
    Answered(&'static str),
}

/// Where a verb prints to.
pub(crate) struct Terminal {
    /// Programs read it: JSON only.
    pub(crate) json: bool,
    /// Ids only, no notes.
    pub(crate) quiet: bool,
    pub(crate) is_coloured: bool,
    pub(crate) asking: Asking,
    pub(crate) out: Box<dyn Write>,
    pub(crate) err: Box<dyn Write>,
}

impl Terminal {
    /// The real one. `no_color` is the variable NO_COLOR, which counts if it is not empty.
    pub(crate) fn of_process(json: bool, quiet: bool, no_color: Option<&str>) -> Self {
        let is_watched = io::stdin().is_terminal() && io::stderr().is_terminal();
        Self {
            json,
            quiet,
            is_coloured: !json && no_color.is_none_or(str::is_empty) && io::stdout().is_terminal(),
            asking: if is_watched && !json { Asking::Person } else { Asking::Nobody },
            out: Box::new(io::stdout()),
            err: Box::new(io::stderr()),
        }
    }

    /// A line for whoever asked.
    pub(crate) fn line(&mut self, text: &str) -> Result<(), Failure> {
        writeln!(self.out, "{text}").and_then(|()| self.out.flush()).map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::reader_gone(),
            _ => Failure::new(Exit::Io, "io", format!("the output cannot be written: {error}"), Hint::Help("")),
        })
    }

    /// One JSON value on a line of its own.
    pub(crate) fn object(&mut self, value: &Value) -> Result<(), Failure> {
        self.line(&value.to_string())
    }

    /// A remark beside the result: for people only, and not on stdout.
    pub(crate) fn note(&mut self, text: &str) {
        if !self.json && !self.quiet {
            // A remark that cannot be written is lost, the result is not.
            let _ = writeln!(self.err, "{text}");
        }
    }

    /// Text in a style, if this terminal shows any.
    pub(crate) fn styled(&self, style: Style, text: &str) -> String {
        match style.code() {
            "" => text.to_owned(),
            _ if !self.is_coloured => text.to_owned(),
            code => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
        }
    }

    /// A failure, on stderr. Nothing for one that has nothing to say.
    pub(crate) fn complain(&mut self, failure: &Failure) {
        if failure.message.is_empty() {
            return;
        }
        let text = if self.json {
            failure.readable().to_string()
        } else {
            let mut text = format!("error: {}", clean_lines(&failure.message));
            for (before, more) in [("", clean(&failure.advice)), ("try: ", clean(&failure.hint()))] {
                if !more.is_empty() {
                    text.push_str(&format!("\n  {before}{more}"));
                }
            }
            text
        };
        // There is nowhere left to say that this failed.
        let _ = writeln!(self.err, "{text}");
    }

    /// Asks a question that is answered with y or n.
    ///
    /// # Errors
    /// When nobody can be asked (then `hint` says how to answer beforehand), or the answer is not yes.
    pub(crate) async fn confirm(&mut self, question: &str, hint: Hint) -> Result<(), Failure> {
        let refused = |message: &str| Failure::new(Exit::Refused, "refused", message, hint.clone());
        let answer = match self.asking {
            Asking::Nobody => return Err(refused(&format!("{question} Nobody can be asked here, so say --yes."))),
            #[cfg(test)]
            Asking::Answered(text) => text.to_owned(),
            Asking::Person => {
                let _ = write!(self.err, "{question} [y/N] ");
                let _ = self.err.flush();
                // In a thread of its own, so that Ctrl-C is heard meanwhile.
                let read = tokio::task::spawn_blocking(|| {
                    let mut line = String::new();
                    io::stdin().read_line(&mut line).map(|_| line)
                });
                read.await.map_err(io::Error::other).and_then(|read| read).unwrap_or_default()
            }
        };
        match answer.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" => Ok(()),
            _ => Err(refused("Nothing was changed.")),
        }
    }

    /// Prints a table.
    pub(crate) fn table(&mut self, table: &Table) -> Result<(), Failure> {
        let lines: Vec<String> = table.lines(|style, text| self.styled(style, text));
        lines.iter().try_for_each(|line| self.line(line))
    }
}

/// A cell of a table.
#[derive(Clone, Debug)]
pub(crate) struct Cell(pub(crate) String, pub(crate) Style);

impl Cell {
    /// Plain text, cleaned.
    pub(crate) fn new(text: &str) -> Self {
        Self(clean(text), Style::Plain)
    }
}

/// Rows whose columns stand below each other.
#[derive(Default)]
pub(crate) struct Table {
    rows: Vec<(Vec<Cell>, Vec<String>)>,
}

impl Table {
    /// A table with the names of its columns on top.
    pub(crate) fn headed(names: &[&str]) -> Self {
        let mut table = Self::default();
        table.row(names.iter().map(|name| Cell((*name).to_owned(), Style::Dim)).collect());
        table
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push((cells, Vec::new()));
    }

    /// Adds a line below the last row.
    pub(crate) fn below(&mut self, text: &str) {
        if let Some((_, below)) = self.rows.last_mut() {
            below.push(format!("               {}", clean(text)));
        }
    }

    /// The lines. A column that is empty in every row takes no room.
    pub(crate) fn lines(&self, paint: impl Fn(Style, &str) -> String) -> Vec<String> {
        let width = |cell: &Cell| cell.0.chars().count();
        let columns = self.rows.iter().map(|(cells, _)| cells.len()).max().unwrap_or_default();
        let widths: Vec<usize> = (0..columns)
            .map(|column| self.rows.iter().filter_map(|(cells, _)| cells.get(column).map(width)).max().unwrap_or(0))
            .collect();
        let mut lines = Vec::new();
        for (cells, below) in &self.rows {
            let mut line = String::new();
            let mut pending = 2;
            for (cell, wide) in cells.iter().zip(&widths).filter(|(_, wide)| **wide > 0) {
                if !cell.0.is_empty() {
                    line.push_str(&" ".repeat(pending));
                    line.push_str(&paint(cell.1, &cell.0));
                    pending = 0;
                }
                pending += wide - width(cell) + 2;
            }
            lines.push(line.trim_end().to_owned());
            lines.extend(below.iter().cloned());
        }
        lines
    }
}

/// On one line and without control characters or marks that turn the direction of writing.
pub(crate) fn clean(text: &str) -> String {
    clean_lines(text).replace(['\n', '\t'], " ")
}

/// The same, but lines stay lines.
pub(crate) fn clean_lines(text: &str) -> String {
    let is_hostile = |c: char| {
        (c.is_control() && c != '\n' && c != '\t')
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
    };
    text.chars().map(|c| if is_hostile(c) { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(table: &Table) -> Vec<String> {
        table.lines(|_, text| text.to_owned())
    }

    #[test]
    fn columns_stand_below_each_other_and_empty_ones_take_no_room() {
        let mut table = Table::headed(&["kind", "", "pattern"]);
        table.row(vec![Cell::new("command"), Cell::new(""), Cell::new("/order")]);
        table.row(vec![Cell::new("größe"), Cell::new(""), Cell::new("x")]);
        table.below("why");
        assert_eq!(lines(&table), ["  kind     pattern", "  command  /order", "  größe    x", "               why"]);
    }

    #[test]
    fn a_missing_cell_leaves_its_column_free() {
        let mut table = Table::default();
        table.row(vec![Cell::new("a"), Cell::new("bb"), Cell::new("c")]);
        table.row(vec![Cell::new("a"), Cell::new(""), Cell::new("c")]);
        assert_eq!(lines(&table), ["  a  bb  c", "  a      c"]);
    }

    #[test]
    fn text_from_elsewhere_cannot_steer_the_terminal() {
        assert_eq!(clean("a\u{1b}[2Jb\r\u{7}\u{9b}c\nd"), "a\u{fffd}[2Jb\u{fffd}\u{fffd}\u{fffd}c d");
        assert_eq!(clean("evil\u{202e}gpj.exe"), "evil\u{fffd}gpj.exe");
        assert_eq!(clean_lines("one\ntwo\u{1b}"), "one\ntwo\u{fffd}");
        assert_eq!(clean("Straße ✓ 🍮"), "Straße ✓ 🍮");
    }
}
