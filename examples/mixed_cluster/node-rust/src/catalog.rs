//! This node's source of truth, a SQLite database, and what it was asked.

use cohort::{BoxError, Key, NotFound};
use rusqlite::{Connection, OpenFlags};
use std::sync::Mutex;

pub struct Catalog(Mutex<State>);

struct State {
    database: Connection,
    statement: String,
    asked: Vec<String>,
}

impl Catalog {
    pub fn open(database: &str, sql_file: &str) -> Result<Self, BoxError> {
        let statement = std::fs::read_to_string(sql_file)?;
        let database = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        database.prepare_cached(&statement)?;
        Ok(Self(Mutex::new(State { database, statement, asked: Vec::new() })))
    }

    /// The getter: renders a package's page.
    pub fn page(&self, key: &Key) -> Result<String, BoxError> {
        let mut state = self.0.lock().unwrap();
        state.asked.push(key.to_string());
        let page = state.database.prepare_cached(&state.statement)?.query_row([key.as_str()?], |row| row.get(0));
        match page {
            Err(rusqlite::Error::QueryReturnedNoRows) => Err(NotFound::new("no such package").into()),
            page => Ok(page?),
        }
    }

    /// Every package that was rendered here.
    pub fn asked(&self) -> Vec<String> {
        self.0.lock().unwrap().asked.clone()
    }
}
