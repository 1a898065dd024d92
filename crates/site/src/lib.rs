//! The agent, the protocol it shares with the hub, and the typed client.
