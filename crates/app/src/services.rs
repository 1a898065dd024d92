//! The catalogue of services.

use ::jobs::template::Template;
use units::Slug;

use crate::{Action, Actor, App, Error};

impl App {
    /// The services on offer, by name.
    ///
    /// # Errors
    /// When the actor may not see the catalogue.
    pub fn services(&self, actor: &Actor) -> Result<&[Template], Error> {
        actor.may(Action::ViewServices, &[])?;
        Ok(&self.work().services)
    }

    /// One service.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn service(&self, actor: &Actor, name: &Slug) -> Result<&Template, Error> {
        let found = self.services(actor)?.iter().find(|service| service.name == *name);
        found.ok_or(Error::NotFound("service"))
    }
}
