//! What can go wrong, and what getters return when it does.

use crate::ffi::{status, Status};
use std::any::Any;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

/// Any error of a getter.
pub type BoxError = Box<dyn StdError + Send + Sync + 'static>;

/// The error of a getter, as all who waited for its load share it.
pub type SharedError = Arc<dyn StdError + Send + Sync + 'static>;

/// A getter's way to say that there is no such key; gets then end with [`Error::NotFound`], here and on other members.
///
/// ```
/// # use cohort::{BoxError, NotFound};
/// fn page(id: &str) -> Result<String, BoxError> {
///     Err(NotFound::new(format!("no page {id}")).into())
/// }
/// # assert!(page("x").is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotFound(String);

impl NotFound {
    /// With one line for whoever asked.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl Default for NotFound {
    fn default() -> Self {
        Self::new("not found")
    }
}

impl fmt::Display for NotFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for NotFound {}

/// A getter panicked. Whoever waited gets it as the source of an [`Error::Load`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panicked(String);

impl Panicked {
    pub(crate) fn new(payload: &(dyn Any + Send)) -> Self {
        let said = payload.downcast_ref::<&str>().map(|s| (*s).to_string());
        Self(said.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".into()))
    }

    /// What the panic said.
    pub fn message(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Panicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the getter panicked: {}", self.0)
    }
}

impl StdError for Panicked {}

/// Why a call failed. It prints as one line.
///
/// An error of a getter of this process is a source: [`Error::Load`] holds the very value that the getter returned, for each of
/// those who waited.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Error {
    /// The getter, here or at the key's owner, says that there is no such key.
    NotFound(NotFound),
    /// The getter of this process failed, with this.
    Load(SharedError),
    /// The getter of the key's owner failed; this is what it said.
    Remote(String),
    /// The deadline passed, the caller's own or the load's.
    Timeout,
    /// The wait was cancelled.
    Cancelled,
    /// The instance or group is closed.
    Closed,
    /// The message names the argument.
    InvalidArgument(String),
    /// A peer could not be reached or did not acknowledge; the message names it.
    Unreachable(String),
    /// A load was needed, and the group has no getter.
    NoGetter,
    /// The load was given up and nobody else could run it: for example because a getter's runtime was shut down.
    Abandoned,
    /// A getter asked for the key that it is loading.
    WouldDeadlock,
    /// A size is beyond a limit; the message names it.
    TooLarge(String),
    /// A group of that name exists.
    AlreadyExists(String),
    /// The operating system refused: listening, reading a certificate.
    Io(String),
    /// The instance was made by the parent of this process; make another one here.
    Forked,
    /// An allocation failed.
    NoMemory,
    /// This library or platform cannot do that.
    Unsupported(String),
    /// A value could not be encoded or decoded.
    Codec(SharedError),
    /// A defect of the library; please report the message.
    Internal(String),
}

impl Error {
    /// Whether there is no such key.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound(_))
    }

    /// Whether a deadline passed.
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::Timeout)
    }

    /// The getter's own error, if it is an `E`.
    ///
    /// ```
    /// # #[derive(Debug)] struct Refused;
    /// # impl std::fmt::Display for Refused {
    /// #     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str("refused") }
    /// # }
    /// # impl std::error::Error for Refused {}
    /// # fn main() -> Result<(), cohort::Error> {
    /// let node = cohort::Instance::builder().build()?;
    /// let group = node.new_group("g").blocking_getter(|_| Err::<&str, _>(Refused.into())).build()?;
    /// let error = group.get_blocking("key").unwrap_err();
    /// assert!(error.getter_error::<Refused>().is_some());
    /// # Ok(()) }
    /// ```
    pub fn getter_error<E: StdError + 'static>(&self) -> Option<&E> {
        match self {
            Self::Load(error) => error.downcast_ref(),
            _ => None,
        }
    }

    pub(crate) fn codec(error: impl Into<BoxError>) -> Self {
        Self::Codec(error.into().into())
    }

    pub(crate) fn from_status(given: Status, message: String) -> Self {
        match given {
            status::NOT_FOUND => Self::NotFound(NotFound(message)),
            status::LOAD_FAILED => Self::Load(Arc::new(Said(message))),
            status::REMOTE_FAILED => Self::Remote(message),
            status::TIMEOUT => Self::Timeout,
            status::CANCELLED => Self::Cancelled,
            status::CLOSED => Self::Closed,
            status::INVALID_ARGUMENT => Self::InvalidArgument(message),
            status::UNREACHABLE => Self::Unreachable(message),
            status::NO_GETTER => Self::NoGetter,
            status::LOAD_ABANDONED => Self::Abandoned,
            status::WOULD_DEADLOCK => Self::WouldDeadlock,
            status::TOO_LARGE => Self::TooLarge(message),
            status::ALREADY_EXISTS => Self::AlreadyExists(message),
            status::IO => Self::Io(message),
            status::FORKED => Self::Forked,
            status::NO_MEMORY => Self::NoMemory,
            status::UNSUPPORTED => Self::Unsupported(message),
            _ => Self::Internal(message),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound(not_found) => not_found.fmt(f),
            Self::Load(error) | Self::Codec(error) => error.fmt(f),
            Self::Timeout => f.write_str("the deadline passed"),
            Self::Cancelled => f.write_str("the wait was cancelled"),
            Self::Closed => f.write_str("the instance or group is closed"),
            Self::NoGetter => f.write_str("a load is needed and the group has no getter"),
            Self::Abandoned => f.write_str("the load was abandoned and nobody else could run it"),
            Self::WouldDeadlock => f.write_str("a getter asked for the key that it is loading"),
            Self::Forked => f.write_str("the instance was made by the parent of this process"),
            Self::NoMemory => f.write_str("memory is exhausted"),
            Self::Remote(message)
            | Self::InvalidArgument(message)
            | Self::Unreachable(message)
            | Self::TooLarge(message)
            | Self::AlreadyExists(message)
            | Self::Io(message)
            | Self::Unsupported(message)
            | Self::Internal(message) => f.write_str(message),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::NotFound(not_found) => Some(not_found),
            Self::Load(error) | Self::Codec(error) => Some(&**error),
            _ => None,
        }
    }
}

/// A failure of a getter of this process that is known by its message only.
#[derive(Debug)]
struct Said(String);

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for Said {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_an_error_that_prints_one_line() {
        for number in 1..=18 {
            let error = Error::from_status(number, "said".into());
            let line = error.to_string();
            assert!(!line.is_empty() && !line.contains('\n'), "{number}: {line}");
            assert_eq!(matches!(error, Error::Internal(_)), number == 18, "{number}: {error:?}");
        }
    }

    #[test]
    fn a_panic_tells_what_it_said() {
        assert_eq!(Panicked::new(&"text").message(), "text");
        assert_eq!(Panicked::new(&String::from("owned")).message(), "owned");
        assert_eq!(Panicked::new(&7_u32).message(), "no message");
    }
}
