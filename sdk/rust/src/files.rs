//! Files of a sandbox.

use std::sync::Arc;

use hyper::body::Bytes;

use crate::error::SandboxError;
use crate::options::{ReadOptions, WriteOptions};
use crate::session::Session;

/// Files of a sandbox, with the rights of its user. Relative paths begin at the user's home.
#[derive(Clone)]
pub struct Files {
    session: Arc<Session>,
}

impl Files {
    pub(crate) fn new(session: Arc<Session>) -> Self {
        Self { session }
    }

    /// Reads a whole file.
    pub async fn read(
        &self,
        path: &str,
        options: Option<ReadOptions>,
    ) -> Result<Vec<u8>, SandboxError> {
        let call = self
            .session
            .calls
            .read_file(path, &options.unwrap_or_default());
        self.session.file(call).await
    }

    /// Reads a whole file as UTF-8; what is not valid is replaced by U+FFFD.
    pub async fn read_text(
        &self,
        path: &str,
        options: Option<ReadOptions>,
    ) -> Result<String, SandboxError> {
        let bytes = self.read(path, options).await?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Writes a whole file, in one step as far as others can see; missing folders are made.
    pub async fn write(
        &self,
        path: &str,
        content: impl AsRef<[u8]> + Send,
        options: Option<WriteOptions>,
    ) -> Result<(), SandboxError> {
        let content = Bytes::copy_from_slice(content.as_ref());
        let call = self
            .session
            .calls
            .write_file(path, content, &options.unwrap_or_default());
        self.session.bytes(call).await.map(drop)
    }
}
