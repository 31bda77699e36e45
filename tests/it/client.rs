//! A y-websocket client that sees every byte.

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::{WebSocketStream, client_async};
use ydock::lib0::{Reader, write_buffer};

/// One connection.
pub(crate) struct Client {
    socket: WebSocketStream<Io>,
    /// How many questions were not answered yet.
    asked: usize,
}

/// Any stream.
pub(crate) type Io = Box<dyn Stream>;

pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

pub(crate) fn any(stream: impl Stream + 'static) -> Io {
    Box::new(stream)
}

impl Client {
    /// Connects and says nothing.
    pub(crate) async fn open(url: &str) -> Self {
        let request = url.into_client_request().unwrap();
        let address = request.uri().authority().unwrap().to_string();
        Self::over(any(TcpStream::connect(address).await.unwrap()), url).await
    }

    /// The same over a stream that is there.
    pub(crate) async fn over(stream: Io, url: &str) -> Self {
        let (socket, _) = client_async(url, stream).await.unwrap();
        Self { socket, asked: 0 }
    }

    /// The same over a stream that was upgraded already.
    pub(crate) async fn over_upgraded(stream: Io) -> Self {
        Self { socket: WebSocketStream::from_raw_socket(stream, Role::Client, None).await, asked: 0 }
    }

    /// Connects over a stream and asks for the document.
    pub(crate) async fn join_over(stream: Io, url: &str) -> Self {
        let mut client = Self::over(stream, url).await;
        client.send(vec![0, 0, 1, 0]).await;
        client
    }

    /// Connects and asks for the document.
    pub(crate) async fn join(url: &str) -> Self {
        let mut client = Self::open(url).await;
        client.send(vec![0, 0, 1, 0]).await;
        client
    }

    pub(crate) async fn send(&mut self, frame: Vec<u8>) {
        self.asked += usize::from(frame.starts_with(&[0, 0]));
        self.socket.send(Message::Binary(frame.into())).await.unwrap();
    }

    /// Sends an update; `false` when the connection is gone.
    pub(crate) async fn update(&mut self, update: &[u8]) -> bool {
        let mut frame = vec![0, 2];
        write_buffer(&mut frame, update);
        self.socket.send(Message::Binary(frame.into())).await.is_ok()
    }

    /// The next frame of the server; `None` when the connection has ended.
    pub(crate) async fn next_frame(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Message::Binary(frame) = self.socket.next().await?.ok()? {
                self.asked = self.asked.saturating_sub(usize::from(frame.starts_with(&[0, 1])));
                return Some(frame.to_vec());
            }
        }
    }

    /// The frames that come before the answer to a question that the client asks now, after the answers to all before.
    pub(crate) async fn settled(&mut self) -> Vec<Vec<u8>> {
        // Who knows anything is answered with one frame.
        self.send(vec![0, 0, 3, 1, 1, 1]).await;
        let mut frames = Vec::new();
        loop {
            let frame = self.next_frame().await.unwrap_or_else(|| panic!("the connection ended"));
            if self.asked == 0 {
                return frames;
            }
            frames.push(frame);
        }
    }

    /// The next update of the server, in a Step2 or alone; `None` when the connection has ended.
    pub(crate) async fn next_update(&mut self) -> Option<Vec<u8>> {
        loop {
            let frame = self.next_frame().await?;
            let mut reader = Reader::new(&frame);
            if (reader.var_uint().unwrap(), reader.var_uint().unwrap()) == (0, 2) || frame.starts_with(&[0, 1]) {
                return Some(reader.buffer().unwrap().to_vec());
            }
        }
    }

    /// Reads until this very update comes.
    pub(crate) async fn receives(&mut self, update: &[u8]) {
        while self.next_update().await.unwrap_or_else(|| panic!("the connection ended")) != update {}
    }

    /// Says goodbye; whether the server answers it.
    pub(crate) async fn goodbye(mut self) -> bool {
        self.socket.close(None).await.unwrap();
        let mut last = None;
        while let Some(message) = self.socket.next().await {
            last = Some(message);
        }
        matches!(last, Some(Ok(Message::Close(_))))
    }

    /// Reads to the end of a connection that the server has said goodbye to; whether it ends in order at all layers.
    pub(crate) async fn ends_in_order(mut self) -> bool {
        let _goodbye_is_answered = self.socket.flush().await.is_ok();
        self.socket.into_inner().read_to_end(&mut Vec::new()).await.is_ok()
    }

    /// The code and reason with which the server ends the connection.
    pub(crate) async fn close(&mut self) -> Option<(u16, String)> {
        while let Some(Ok(message)) = self.socket.next().await {
            if let Message::Close(frame) = message {
                return frame.map(|frame| (frame.code.into(), frame.reason.to_string()));
            }
        }
        None
    }
}
