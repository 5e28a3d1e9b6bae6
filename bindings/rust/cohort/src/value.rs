//! Values: immutable bytes, shared by reference count, read where the engine keeps them.

use crate::ffi::ValueHandle;
use crate::{BoxError, Error};
use std::fmt;
use std::ops::Deref;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// When a value expires.
///
/// ```
/// # use cohort::Expiry;
/// # use std::time::Duration;
/// let soon = Expiry::after(Duration::from_secs(60));
/// assert!(soon.time().is_some());
/// assert_eq!(Expiry::NEVER.time(), None);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Expiry(i64);

impl Expiry {
    /// It does not.
    pub const NEVER: Self = Self(0);

    /// That long from now.
    pub fn after(time: Duration) -> Self {
        // What is too far away to be counted in nanoseconds never comes.
        SystemTime::now().checked_add(time).map_or(Self::NEVER, Self::at)
    }

    /// At that time. A time before 1970 has passed.
    pub fn at(time: SystemTime) -> Self {
        match time.duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_nanos()).map_or(Self::NEVER, |ns| Self(ns.max(1))),
            Err(_) => Self(1),
        }
    }

    /// The time; `None`: never.
    pub fn time(self) -> Option<SystemTime> {
        u64::try_from(self.0).ok().filter(|ns| *ns > 0).map(|ns| UNIX_EPOCH + Duration::from_nanos(ns))
    }

    /// Nanoseconds since the Unix epoch; 0: never.
    pub fn unix_ns(self) -> i64 {
        self.0
    }

    /// From nanoseconds since the Unix epoch; 0: never.
    pub fn from_unix_ns(ns: i64) -> Self {
        Self(ns)
    }
}

impl From<Duration> for Expiry {
    fn from(time: Duration) -> Self {
        Self::after(time)
    }
}

impl From<SystemTime> for Expiry {
    fn from(time: SystemTime) -> Self {
        Self::at(time)
    }
}

impl<T: Into<Expiry>> From<Option<T>> for Expiry {
    fn from(time: Option<T>) -> Self {
        time.map_or(Self::NEVER, Into::into)
    }
}

/// Immutable bytes, shared by reference count.
///
/// It derefs to the engine's own bytes: a hit copies nothing. A clone is an atomic increment, and any thread may drop the last one.
/// A value outlives its group and its instance.
///
/// ```
/// # fn main() -> Result<(), cohort::Error> {
/// let value = cohort::Value::new("hello")?;
/// assert_eq!(&value[..2], b"he");
/// assert_eq!(value.as_str()?, "hello");
/// assert_eq!(value.clone().as_ptr(), value.as_ptr());
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Value(pub(crate) ValueHandle);

impl Value {
    /// A copy of the bytes, which never expires.
    ///
    /// # Errors
    /// More than 1 GiB is too large.
    pub fn new(bytes: impl AsRef<[u8]>) -> Result<Self, Error> {
        Self::with_expiry(bytes, Expiry::NEVER)
    }

    /// A copy of the bytes with an expiry.
    ///
    /// # Errors
    /// More than 1 GiB is too large.
    pub fn with_expiry(bytes: impl AsRef<[u8]>, expiry: impl Into<Expiry>) -> Result<Self, Error> {
        ValueHandle::copy(bytes.as_ref(), expiry.into().0).map(Self)
    }

    /// The owner's bytes, without a copy. The owner is asked for them once, and is dropped with the last reference to the
    /// value, on whichever thread drops that.
    ///
    /// # Errors
    /// More than 1 GiB is too large.
    pub fn from_owner<T>(owner: T, expiry: impl Into<Expiry>) -> Result<Self, Error>
    where
        T: AsRef<[u8]> + Send + Sync + 'static,
    {
        ValueHandle::own(owner, expiry.into().0).map(Self)
    }

    /// The bytes as text.
    ///
    /// # Errors
    /// [`Error::Codec`] when they are not UTF-8.
    pub fn as_str(&self) -> Result<&str, Error> {
        std::str::from_utf8(self).map_err(Error::codec)
    }

    /// When it expires.
    pub fn expiry(&self) -> Expiry {
        Expiry(self.0.expire_unix_ns())
    }

    /// The value that a JSON text holds.
    ///
    /// # Errors
    /// [`Error::Codec`] when the bytes are not such a text.
    #[cfg(feature = "serde")]
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(self).map_err(Error::codec)
    }

    /// The protobuf message that the bytes are.
    ///
    /// # Errors
    /// [`Error::Codec`] when they are not such a message.
    #[cfg(feature = "prost")]
    pub fn proto<M: prost::Message + Default>(&self) -> Result<M, Error> {
        M::decode(&**self).map_err(Error::codec)
    }
}

impl Deref for Value {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for Value {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl<T: AsRef<[u8]> + ?Sized> PartialEq<T> for Value {
    fn eq(&self, other: &T) -> bool {
        **self == *other.as_ref()
    }
}

impl Eq for Value {}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// More than this of a value is no use in a log.
        const SHOWN: usize = 64;
        let shown = &self[..self.len().min(SHOWN)];
        write!(
            f,
            "Value({} bytes: \"{}\"{})",
            self.len(),
            shown.escape_ascii(),
            if self.len() > SHOWN { ".." } else { "" }
        )
    }
}

/// The value as `bytes::Bytes`, without a copy.
#[cfg(feature = "bytes")]
impl From<Value> for bytes::Bytes {
    fn from(value: Value) -> Self {
        Self::from_owner(value)
    }
}

/// What a getter may return and `set` takes: text, bytes, a [`Value`], and each of these with an [`Expiry`].
///
/// Long `Vec`s and `String`s, and all `Bytes`, are taken over instead of copied.
pub trait IntoValue {
    /// The value with that expiry; one's own expiry, if there is one, counts instead.
    ///
    /// # Errors
    /// What cannot be encoded, or is too large.
    fn into_value(self, expiry: Expiry) -> Result<Value, BoxError>;
}

/// Up to this a copy beside the engine's bookkeeping is cheaper than a second allocation.
const WORTH_TAKING: usize = 4096;

impl IntoValue for Vec<u8> {
    fn into_value(self, expiry: Expiry) -> Result<Value, BoxError> {
        if self.len() < WORTH_TAKING {
            Ok(Value::with_expiry(self, expiry)?)
        } else {
            Ok(Value::from_owner(self, expiry)?)
        }
    }
}

impl IntoValue for String {
    fn into_value(self, expiry: Expiry) -> Result<Value, BoxError> {
        self.into_bytes().into_value(expiry)
    }
}

impl IntoValue for &[u8] {
    fn into_value(self, expiry: Expiry) -> Result<Value, BoxError> {
        Ok(Value::with_expiry(self, expiry)?)
    }
}

impl<const N: usize> IntoValue for &[u8; N] {
    fn into_value(self, expiry: Expiry) -> Result<Value, BoxError> {
        self[..].into_value(expiry)
    }
}

impl<const N: usize> IntoValue for [u8; N] {
    fn into_value(self, expiry: Expiry) -> Result<Value, BoxError> {
        self[..].into_value(expiry)
    }
}

impl IntoValue for &str {
    fn into_value(self, expiry: Expiry) -> Result<Value, BoxError> {
        self.as_bytes().into_value(expiry)
    }
}

impl IntoValue for &String {
    fn into_value(self, expiry: Expiry) -> Result<Value, BoxError> {
        self.as_bytes().into_value(expiry)
    }
}

impl IntoValue for &Vec<u8> {
    fn into_value(self, expiry: Expiry) -> Result<Value, BoxError> {
        self[..].into_value(expiry)
    }
}

impl IntoValue for Box<[u8]> {
    fn into_value(self, expiry: Expiry) -> Result<Value, BoxError> {
        self.into_vec().into_value(expiry)
    }
}

impl IntoValue for Value {
    fn into_value(self, expiry: Expiry) -> Result<Value, BoxError> {
        if expiry == Expiry::NEVER || self.expiry() != Expiry::NEVER {
            return Ok(self);
        }
        Ok(Value::from_owner(self, expiry)?)
    }
}

#[cfg(feature = "bytes")]
impl IntoValue for bytes::Bytes {
    fn into_value(self, expiry: Expiry) -> Result<Value, BoxError> {
        Ok(Value::from_owner(self, expiry)?)
    }
}

impl<V: IntoValue> IntoValue for (V, Expiry) {
    fn into_value(self, expiry: Expiry) -> Result<Value, BoxError> {
        self.0.into_value(if self.1 == Expiry::NEVER { expiry } else { self.1 })
    }
}

/// A value as JSON: what a getter returns or `set` takes is serialized, [`Value::json`] reads it back.
#[cfg(feature = "serde")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Json<T>(pub T);

#[cfg(feature = "serde")]
impl<T: serde::Serialize> IntoValue for Json<T> {
    fn into_value(self, expiry: Expiry) -> Result<Value, BoxError> {
        serde_json::to_vec(&self.0)?.into_value(expiry)
    }
}

/// A value as a protobuf message: what a getter returns or `set` takes is encoded, [`Value::proto`] reads it back.
#[cfg(feature = "prost")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proto<M>(pub M);

#[cfg(feature = "prost")]
impl<M: prost::Message> IntoValue for Proto<M> {
    fn into_value(self, expiry: Expiry) -> Result<Value, BoxError> {
        self.0.encode_to_vec().into_value(expiry)
    }
}
