//! Wrong input on the command line: one clear line, a failing exit code, nothing touched.

use std::net::TcpListener;
use std::process::{Output, Stdio};

use tempfile::TempDir;

use crate::client::Client;
use crate::server::{TestServer, command};

fn run(arguments: &[&str]) -> Output {
    command().args(arguments).stderr(Stdio::piped()).output().unwrap()
}

/// The single line with which a command fails.
fn failure(arguments: &[&str]) -> String {
    let output = run(arguments);
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success(), "{text}");
    assert_eq!(text.trim_end().lines().count(), 1, "{text}");
    assert!(output.stdout.is_empty());
    text
}

fn serve(data: &str) -> [&str; 5] {
    ["serve", "--listen", "127.0.0.1:0", "--data", data]
}

#[test]
fn an_unknown_flag_is_a_usage_error() {
    let output = run(&["serve", "--listem", "x"]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text.contains("--listem") && text.contains("--listen"), "{text}");
}

#[test]
fn an_unknown_key_in_the_settings_file_is_named_with_its_line() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("ydock.toml");
    std::fs::write(&file, "listen = \"127.0.0.1:0\"\n\n[rooms]\nidle = \"1s\"\n").unwrap();
    let text = failure(&["serve", "--config", file.to_str().unwrap()]);
    assert!(text.contains("idle") && text.contains("line 4") && text.contains("ydock.toml"), "{text}");
}

#[test]
fn a_taken_port_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let data = TempDir::new().unwrap();
    let text = failure(&["serve", "--listen", &address, "--data", data.path().to_str().unwrap()]);
    assert!(text.contains(&address), "{text}");
    assert_eq!(text.matches("in use").count(), 1, "the cause is said once: {text}");
}

#[test]
fn listening_beyond_this_machine_must_be_asked_for() {
    let text = failure(&["serve", "--listen", "0.0.0.0:0"]);
    assert!(text.contains("--allow-open"), "{text}");
}

#[test]
fn a_directory_that_is_not_ours_is_left_alone() {
    let data = TempDir::new().unwrap();
    std::fs::write(data.path().join("holiday.jpg"), "picture").unwrap();
    let path = data.path().to_str().unwrap();
    let text = failure(&serve(path));
    assert!(text.contains(path), "{text}");
    assert_eq!(std::fs::read_dir(data.path()).unwrap().count(), 1);
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "").unwrap();
    let path = file.join("data");
    let text = failure(&serve(path.to_str().unwrap()));
    assert!(text.contains(path.to_str().unwrap()), "{text}");
}

#[test]
fn a_newer_data_format_is_refused_untouched() {
    let data = TempDir::new().unwrap();
    let path = data.path().to_str().unwrap();
    drop(TestServer::start_on(data.path()));
    let format = data.path().join("FORMAT");
    let text = std::fs::read_to_string(&format).unwrap();
    std::fs::write(&format, text.replace("format 1", "format 99")).unwrap();
    let text = failure(&serve(path));
    assert!(text.contains("99"), "{text}");
}

#[test]
fn a_second_process_on_the_same_data_is_refused() {
    let data = TempDir::new().unwrap();
    let _first = TestServer::start_on(data.path());
    let text = failure(&serve(data.path().to_str().unwrap()));
    assert!(text.contains("in use"), "{text}");
}

#[test]
fn a_bad_value_in_a_variable_is_told_with_the_variables_name() {
    let mut command = command();
    command.env("YDOCK_ROOMS__MAX_OPEN", "many").args(["serve"]);
    let output = command.stderr(Stdio::piped()).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && text.contains("YDOCK_ROOMS__MAX_OPEN"), "{text}");
}

#[test]
fn a_wrong_log_filter_is_named() {
    let data = TempDir::new().unwrap();
    let mut command = command();
    command.env("YDOCK_LOG__FILTER", "a=b=c").args(serve(data.path().to_str().unwrap()));
    let output = command.stderr(Stdio::piped()).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && text.contains("log.filter"), "{text}");
}

#[tokio::test]
async fn a_server_that_is_told_to_end_says_goodbye_and_ends_with_success() {
    let mut server = TestServer::start();
    let mut client = Client::join(&server.ws("goodbye")).await;
    client.next_update().await.unwrap();
    let ended = tokio::task::spawn_blocking(move || server.terminate());
    let (code, reason) = client.close().await.unwrap();
    assert_eq!((code, reason.as_str()), (4503, "the server is shutting down"));
    assert!(ended.await.unwrap().success());
}

#[cfg(target_env = "gnu")]
#[test]
fn a_server_has_its_heap_set_up_unless_its_operator_has_said_how() {
    let variable = |server: &TestServer| {
        let environment = std::fs::read(format!("/proc/{}/environ", server.pid().as_raw_nonzero())).unwrap();
        let environment = String::from_utf8(environment).unwrap();
        environment.split('\0').find_map(|pair| pair.strip_prefix("GLIBC_TUNABLES=")).map(str::to_owned)
    };
    // The library ends each setting with a zero when it reads the variable.
    let server = TestServer::start();
    assert!(variable(&server).unwrap().starts_with("glibc.malloc.hugetlb=1"));
    let name = std::fs::read_to_string(format!("/proc/{}/comm", server.pid().as_raw_nonzero())).unwrap();
    assert_eq!(name, "ydock\n", "what tools show and search for");
    let own = "glibc.malloc.arena_max=3";
    assert_eq!(variable(&TestServer::start_set(&[("GLIBC_TUNABLES", own)])).as_deref(), Some(own));
}
