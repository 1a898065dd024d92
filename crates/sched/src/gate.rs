//! Who may start at all, beyond order and room.

use crate::Ticket;

/// Asked about each job that is about to start.
pub(crate) trait Gate {
    /// Whether the job may start as things stand; if not, it holds up nobody.
    fn admits(&mut self, ticket: Ticket) -> bool;

    /// The job has started.
    fn started(&mut self, ticket: Ticket);
}

/// Everybody may.
impl Gate for () {
    #[inline]
    fn admits(&mut self, _: Ticket) -> bool {
        true
    }

    #[inline]
    fn started(&mut self, _: Ticket) {}
}
