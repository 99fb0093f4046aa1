//! A scriptable web server on std's sockets: the answer for each path, its delay,
//! and a record of requests. One thread a connection; no keep-alive.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the server does with a request.
#[derive(Clone, Debug)]
pub enum Page {
    /// 200 with this body.
    Body(String),
    /// This status with this body.
    Status(u16, String),
    /// The file of this folder that the path's last segment names; 404 where there is none.
    Folder(PathBuf),
    /// 302 to this location.
    Redirect(String),
    /// Reads the request and never answers.
    Silence,
    /// The page, this much later.
    Late(Duration, Box<Self>),
}

#[derive(Default)]
struct State {
    pages: HashMap<String, Page>,
    otherwise: Option<Page>,
    asked: Vec<String>,
}

/// The server; it answers until the process ends.
#[derive(Clone)]
pub struct Web {
    state: Arc<Mutex<State>>,
    address: SocketAddr,
}

/// Where http-01 looks for a token.
pub fn challenge_path(token: &str) -> String {
    format!("/.well-known/acme-challenge/{token}")
}

impl Web {
    /// Starts a server on this TCP address.
    pub fn start(address: &str) -> Self {
        let listener =
            TcpListener::bind(address).unwrap_or_else(|e| panic!("web server on {address}: {e}"));
        let web = Self {
            address: listener
                .local_addr()
                .expect("a bound socket has an address"),
            state: Arc::default(),
        };
        let state = Arc::clone(&web.state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&state);
                std::thread::spawn(move || answer(stream, &state));
            }
        });
        web
    }

    /// From now on, this is what `path` answers.
    pub fn set(&self, path: &str, page: Page) {
        let mut state = self.state.lock().expect("no test panics with it");
        state.pages.insert(path.to_owned(), page);
    }

    /// What every path answers that was never set; 404 at first.
    pub fn otherwise(&self, page: Page) {
        self.state.lock().expect("no test panics with it").otherwise = Some(page);
    }

    /// The requests so far, as "host path".
    pub fn asked(&self) -> Vec<String> {
        self.state
            .lock()
            .expect("no test panics with it")
            .asked
            .clone()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// An address and port that never answer: its queue is full, so that whatever knocks is dropped
/// unheard. Holds until it is dropped.
pub struct Silence {
    _listener: TcpListener,
    _waiting: Vec<TcpStream>,
}

impl Silence {
    /// Makes this TCP address silent.
    pub fn start(address: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let listener = runtime.expect("a runtime").block_on(async {
            let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
            socket
                .bind(address.parse().expect("an address"))
                .expect("a free address");
            socket
                .listen(0)
                .and_then(tokio::net::TcpListener::into_std)
                .expect("a listener")
        });
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let mut waiting = Vec::new();
        while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(300)) {
            waiting.push(stream);
        }
        Self {
            _listener: listener,
            _waiting: waiting,
        }
    }
}

fn answer(mut stream: TcpStream, state: &Mutex<State>) {
    let Some((path, host)) = request(&stream) else {
        return;
    };
    let page = {
        let mut state = state.lock().expect("no test panics with it");
        state.asked.push(format!("{host} {path}"));
        let page = state.pages.get(&path).or(state.otherwise.as_ref()).cloned();
        page.map_or_else(missing, |page| found(page, &path))
    };
    send(&mut stream, page);
}

fn missing() -> Page {
    Page::Status(404, "no such page\n".to_owned())
}

/// The page, a folder's replaced by that of its file.
fn found(page: Page, path: &str) -> Page {
    let Page::Folder(folder) = page else {
        return page;
    };
    let (_, name) = path.rsplit_once('/').unwrap_or_default();
    std::fs::read_to_string(folder.join(name)).map_or_else(|_| missing(), Page::Body)
}

fn request(stream: &TcpStream) -> Option<(String, String)> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut host = String::new();
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let header = line.trim_end();
        if header.is_empty() {
            return Some((path, host));
        }
        if let Some((name, value)) = header.split_once(':')
            && name.eq_ignore_ascii_case("host")
        {
            value.trim().clone_into(&mut host);
        }
    }
}

fn send(stream: &mut TcpStream, page: Page) {
    let (status, headers, body) = match page {
        Page::Body(body) => (200, String::new(), body),
        Page::Status(status, body) => (status, String::new(), body),
        Page::Redirect(to) => (302, format!("Location: {to}\r\n"), String::new()),
        Page::Folder(_) => return send(stream, missing()),
        Page::Silence => {
            std::thread::sleep(Duration::from_secs(600));
            return;
        }
        Page::Late(delay, page) => {
            std::thread::sleep(delay);
            return send(stream, *page);
        }
    };
    let _ = write!(
        stream,
        "HTTP/1.1 {status} as scripted\r\nContent-Type: text/plain\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
}
