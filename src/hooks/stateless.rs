//! What hooks answer to a text of the application.

/// Collects what the hooks answer to one text; it is sent when the last of them has returned.
///
/// ```
/// use ydock::hooks::Answers;
///
/// fn greet(text: &str, answers: &mut Answers) {
///     match text {
///         "hello" => answers.reply("hello yourself"),
///         other => answers.broadcast(format!("somebody said {other}")),
///     }
/// }
/// ```
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Answers {
    answers: Vec<Answer>,
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// For the client that sent the text.
    Reply(String),
    /// For every client of the document whose wire knows such texts, its sender included.
    Broadcast(String),
}

impl Answers {
    /// Answers the client that sent the text.
    pub fn reply(&mut self, text: impl Into<String>) {
        self.answers.push(Answer::Reply(text.into()));
    }

    /// Tells every client of the document whose wire knows such texts, its sender included.
    pub fn broadcast(&mut self, text: impl Into<String>) {
        self.answers.push(Answer::Broadcast(text.into()));
    }
}

impl IntoIterator for Answers {
    type Item = Answer;
    type IntoIter = std::vec::IntoIter<Answer>;

    fn into_iter(self) -> Self::IntoIter {
        self.answers.into_iter()
    }
}
