//! The life of a process: a fork, and an exit while gets wait. A program of its own: it forks.
#![cfg(unix)]

use cohort::{Error, Instance, Value};
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::time::Duration;

/// Runs `child` in a fork; what it returns is the child's exit code.
fn fork(child: impl FnOnce() -> i32) -> i32 {
    // SAFETY: the child only makes calls that this library allows in a child, and leaves by _exit.
    unsafe {
        let pid = libc::fork();
        assert!(pid >= 0);
        if pid == 0 {
            let code = std::panic::catch_unwind(std::panic::AssertUnwindSafe(child)).unwrap_or(99);
            libc::_exit(code);
        }
        let mut status = 0;
        assert_eq!(libc::waitpid(pid, &mut status, 0), pid);
        assert!(libc::WIFEXITED(status), "the child was ended by signal {}", libc::WTERMSIG(status));
        libc::WEXITSTATUS(status)
    }
}

#[test]
fn a_child_is_told_and_makes_instances_of_its_own() {
    let node = Instance::builder().listen("127.0.0.1:0").build().unwrap();
    let group = node.new_group("g").blocking_getter(|key| Ok(key.to_vec())).build().unwrap();
    let value: Value = group.get_blocking("before").unwrap();
    let code = fork(|| {
        if !matches!(group.get_blocking("key"), Err(Error::Forked)) {
            return 1;
        }
        if !matches!(group.set("key", "value").wait(), Err(Error::Forked)) || value != "before" {
            return 2;
        }
        let own = Instance::builder().listen("127.0.0.1:0").build().unwrap();
        let mine = own.new_group("g").getter(|key| async move { Ok(format!("child {key}")) }).build().unwrap();
        if mine.get_blocking("key").unwrap() != "child key" {
            return 3;
        }
        drop((own, mine, node.clone(), group.clone()));
        0
    });
    assert_eq!(code, 0);
    let code = fork(|| {
        // Of its parent it has only what this thread keeps for its gets.
        let own = Instance::builder().build().unwrap();
        let mine = own.new_group("g").getter(|key| async move { Ok(format!("child {key}")) }).build().unwrap();
        let many = mine.get_many(["one", "two"]).timeout(Duration::from_secs(60)).wait();
        if many.into_iter().map(Result::unwrap).ne(["child one", "child two"]) {
            return 1;
        }
        i32::from(mine.get("key").timeout(Duration::from_secs(60)).wait().unwrap() != "child key")
    });
    assert_eq!(code, 0);
    assert_eq!(group.get_blocking("after").unwrap(), "after", "the parent goes on");
    assert!(node.address().is_some());
}

#[test]
fn exit_while_gets_wait_is_clean() {
    const MARK: &str = "COHORT_TEST_EXIT";
    if std::env::var_os(MARK).is_some() {
        let node = Instance::builder().listen("127.0.0.1:0").build().unwrap();
        let group = node.new_group("g").getter(|_| async { Ok(std::future::pending::<&str>().await) }).build().unwrap();
        let blocking = node
            .new_group("blocking")
            .blocking_getter(|_| {
                std::thread::sleep(Duration::from_secs(3600));
                Ok("never")
            })
            .build()
            .unwrap();
        for n in 0..4 {
            let (group, blocking) = (group.clone(), blocking.clone());
            std::thread::spawn(move || group.get_blocking(n.to_string()));
            std::thread::spawn(move || blocking.get_blocking(n.to_string()));
        }
        while group.stats().loading + blocking.stats().loading < 8 {
            std::thread::yield_now();
        }
        std::process::exit(7);
    }
    let ended = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "exit_while_gets_wait_is_clean", "--nocapture"])
        .env(MARK, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(7), "signal {:?}: {said}", ended.status.signal());
}
