//! What a letter says, in its reader's language: plain text, each line of which stands for itself.

use app::identity::InvitationDue;
use app::notices::Letter;

use crate::portal::tongue::{Told, Tongue};

/// A letter, written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Written {
    /// To whom: their name, if it is known, and their address.
    pub(super) to: (Option<String>, String),
    /// What it is known by: the same when the same is sent again.
    pub(super) identity: String,
    /// Its subject, in one line.
    pub(super) subject: String,
    /// Its text.
    pub(super) text: String,
    /// The language it is in.
    pub(super) language: &'static str,
}

/// Writes the letter about one notice, or about those of a day.
pub(super) fn written(letter: &Letter, hub_url: &str) -> Written {
    let t = Tongue::chosen(&letter.language).unwrap_or(Tongue::English);
    let told: Vec<Told> = letter.notices.iter().map(|notice| Told::of(t, notice)).collect();
    let mut text = t.fill("letter-hello", &[("name", &letter.name)]);
    let alone = told.len() == 1;
    let subject = match told.as_slice() {
        [told] => told.subject.clone(),
        several => t.count("letter-daily", several.len()),
    };
    for (notice, told) in letter.notices.iter().zip(&told) {
        text.push_str("\n\n");
        if !alone {
            text.push_str(&format!("* {} ({})\n\n", told.subject, t.minute(notice.told_at)));
        }
        text.push_str(told.text.trim());
        text.push_str(&format!("\n\n{} {}", t.say("letter-next"), told.next));
        text.push_str(&format!("\n{} {hub_url}{}", t.say("letter-link"), notice.link));
    }
    let settings = format!("{hub_url}/settings/notices");
    let end = t.fill("letter-end", &[("hub", hub_url), ("settings", &settings)]);
    text.push_str(&format!("\n\n-- \n{end}\n"));
    Written {
        to: (Some(letter.name.clone()), letter.email.clone()),
        identity: identity(letter),
        subject,
        text: text.replace('\u{a0}', " "),
        language: t.code(),
    }
}

/// What a letter is known by, however often it is sent.
fn identity(letter: &Letter) -> String {
    match letter.notices.as_slice() {
        [notice] => format!("{}.{}", notice.id, letter.person),
        several => {
            let mut hasher = blake3::Hasher::new();
            for notice in several {
                hasher.update(notice.id.as_bytes());
            }
            format!("{}.{}", hasher.finalize().to_hex(), letter.person)
        }
    }
}

/// Writes the letter of an invitation. Each attempt carries a link of its own, so each is another
/// letter.
pub(super) fn invitation(due: &InvitationDue, hub_url: &str) -> Written {
    let t = Tongue::chosen(&due.invitation.language).unwrap_or(Tongue::English);
    let offer = &due.offer;
    let place = offer.place.name.clone().unwrap_or_else(|| t.say("notices-federation"));
    let (role, until) = (t.sub("role-", offer.role.name()), t.minute(offer.expires_at));
    let by = offer.by.as_str();
    let gaps = [("by", by), ("role", &role), ("place", &place), ("until", &until)];
    let said = t.fill("letter-invitation-text", &gaps);
    let end = t.fill("letter-invitation-end", &[("hub", hub_url)]);
    let link = format!("{hub_url}{}{}", crate::INVITATION_LINK, due.secret.reveal());
    let text = format!("{said}\n\n{link}\n\n-- \n{end}\n");
    let subject = t.fill("letter-invitation", &[("by", by), ("place", &place)]);
    Written {
        to: (None, due.invitation.email.clone()),
        identity: format!("{}.{}", due.invitation.id, due.invitation.letter.attempts),
        subject: subject.split_whitespace().collect::<Vec<_>>().join(" "),
        text: text.replace('\u{a0}', " "),
        language: t.code(),
    }
}
