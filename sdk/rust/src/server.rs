//! A server as a whole.

use crate::address::named;
use crate::calls;
use crate::error::SandboxError;
use crate::info::{ImageInfo, ImageList, SandboxInfo, SandboxList, ServerInfo};
use crate::options::{ListOptions, ServerOptions};
use crate::transport::Transport;

/// A server: what it has and what it says of itself.
///
/// ```no_run
/// use microsandbox::{ListOptions, SandboxError, Server};
///
/// # async fn example() -> Result<(), SandboxError> {
/// let server = Server::new(None)?;
/// let of_a = ListOptions::default().labels([("team", "a")]);
/// for sandbox in server.sandboxes(Some(of_a)).await? {
///     println!("{} {:?}", sandbox.name, sandbox.state);
/// }
/// # Ok(())
/// # }
/// ```
pub struct Server {
    transport: Transport,
}

impl Server {
    /// The server that the options name, else `MSB_SERVER_URL`, else the local one. It is not asked yet.
    ///
    /// # Errors
    ///
    /// `invalid_request` where the address or the key can be none.
    pub fn new(options: Option<ServerOptions>) -> Result<Self, SandboxError> {
        let ServerOptions {
            server_url,
            api_key,
        } = options.unwrap_or_default();
        let server_url = named(server_url, std::env::var("MSB_SERVER_URL").ok());
        let key = named(api_key, std::env::var("MSB_API_KEY").ok());
        let transport = Transport::new(server_url.as_deref(), key.as_deref())?;
        Ok(Self { transport })
    }

    /// The caller's sandboxes, the oldest first.
    pub async fn sandboxes(
        &self,
        options: Option<ListOptions>,
    ) -> Result<Vec<SandboxInfo>, SandboxError> {
        let call = calls::list_sandboxes(&options.unwrap_or_default());
        let list: SandboxList = self.transport.json(call).await?;
        Ok(list.sandboxes)
    }

    /// The images that sandboxes can be made of.
    pub async fn images(&self) -> Result<Vec<ImageInfo>, SandboxError> {
        let list: ImageList = self.transport.json(calls::list_images()).await?;
        Ok(list.images)
    }

    /// What it says of itself.
    pub async fn info(&self) -> Result<ServerInfo, SandboxError> {
        self.transport.json(calls::server_info()).await
    }
}
