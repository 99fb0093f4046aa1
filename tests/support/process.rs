//! Runs programs to their end, with a time limit, or in the background of a test.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Longer than any step takes on a loaded machine.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// What a program printed, and how it ended.
#[derive(Debug)]
pub struct Outcome {
    /// Exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Outcome {
    /// The outcome, if the exit code was 0; else the test fails and shows both streams.
    #[track_caller]
    pub fn success(self) -> Self {
        assert_eq!(
            self.code,
            Some(0),
            "exit {:?}\n--- stdout\n{}\n--- stderr\n{}",
            self.code,
            self.stdout,
            self.stderr
        );
        self
    }

    /// The outcome, if the program ended with this code.
    #[track_caller]
    pub fn code(self, code: i32) -> Self {
        assert_eq!(
            self.code,
            Some(code),
            "\n--- stdout\n{}\n--- stderr\n{}",
            self.stdout,
            self.stderr
        );
        self
    }

    /// Both streams, stdout first, without terminal colours.
    pub fn text(&self) -> String {
        plain(&format!("{}{}", self.stdout, self.stderr))
    }
}

/// A text without its terminal escape codes.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            for end in chars.by_ref() {
                if end.is_ascii_alphabetic() {
                    break;
                }
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// A command without standard input, in its own session so that it has no terminal.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("setsid");
    command.arg("--wait").arg(program.as_ref());
    command.stdin(Stdio::null());
    command
}

/// Runs a command to its end; one that outlives [`PATIENCE`] is killed and fails the test.
#[track_caller]
pub fn run(command: &mut Command) -> Outcome {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let (out, err) = (dir.path().join("out"), dir.path().join("err"));
    command.stdout(File::create(&out).expect("a file for stdout"));
    command.stderr(File::create(&err).expect("a file for stderr"));
    let mut child = command
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let status = wait(&mut child, PATIENCE);
    let text =
        |path: &Path| String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned();
    let (stdout, stderr) = (text(&out), text(&err));
    let Some(status) = status else {
        let _ = child.kill();
        panic!(
            "{command:?}: still running after {PATIENCE:?}\n--- stdout\n{stdout}\n--- stderr\n{stderr}"
        );
    };
    Outcome {
        code: status.code(),
        stdout,
        stderr,
    }
}

/// Calls `poll` until it returns a value; fails the test with `what` after [`PATIENCE`].
#[track_caller]
pub fn eventually<T>(what: &str, mut poll: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = poll() {
            return found;
        }
        assert!(
            Instant::now() < deadline,
            "not seen in {PATIENCE:?}: {what}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A program that runs in the background of the test, its streams in one file; killed when dropped.
pub struct Daemon {
    child: Child,
    log: PathBuf,
    ended: Option<ExitStatus>,
}

impl Daemon {
    /// Starts the command; both streams are appended to `log`.
    pub fn spawn(command: &mut Command, log: &Path) -> Self {
        let file = File::options()
            .create(true)
            .append(true)
            .open(log)
            .expect("a log file");
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone().expect("a second handle"))
            .stderr(file)
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Self {
            child,
            log: log.to_owned(),
            ended: None,
        }
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Everything that it has printed so far.
    pub fn log(&self) -> String {
        plain(&String::from_utf8_lossy(
            &fs::read(&self.log).unwrap_or_default(),
        ))
    }

    /// Whether it has not ended yet.
    pub fn is_running(&mut self) -> bool {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().expect("a child can be asked");
        }
        self.ended.is_none()
    }

    /// Sends a signal by name ("TERM", "HUP", "KILL").
    pub fn signal(&self, name: &str) {
        // The shell's own kill: a program of that name need not be installed.
        let status = Command::new("sh")
            .args(["-c", &format!("kill -{name} {}", self.pid())])
            .status()
            .expect("sh is there");
        assert!(status.success(), "kill -{name} {}", self.pid());
    }

    /// Waits for its end; the exit code, `None` after a signal.
    #[track_caller]
    pub fn wait(&mut self) -> Option<i32> {
        let status = match self.ended {
            Some(status) => Some(status),
            None => wait(&mut self.child, PATIENCE),
        };
        let status = status.unwrap_or_else(|| panic!("still running; its log:\n{}", self.log()));
        self.ended = Some(status);
        status.code()
    }

    /// SIGKILL, and the end awaited.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        self.ended = self.child.wait().ok();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if self.is_running() {
            self.kill();
        }
        if std::thread::panicking() {
            eprintln!("--- log of {}\n{}", self.log.display(), self.log());
        }
    }
}

fn wait(child: &mut Child, patience: Duration) -> Option<ExitStatus> {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(status) = child.try_wait().expect("a child can be asked") {
            return Some(status);
        }
        if Instant::now() > deadline {
            return None;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
