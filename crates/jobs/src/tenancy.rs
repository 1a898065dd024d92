//! Usine's part of what a site's scheduler has on its books: accounts, those who may use them,
//! qualities of service and limits, kept in agreement with the hub.
//!
//! Read in this order: [`Object`] (what there is, always under the site's prefix), [`wanted()`] (what
//! should be), [`plan()`] (what is to be done about the difference, and what somebody changed by hand).
//!
//! Nothing is ever removed. Who leaves a project, and an allocation that is over, may submit nothing
//! any more: a scheduler deletes with an association also a person's default account, and with the
//! last one the person.

mod object;
mod plan;
mod wanted;

pub use object::{Field, Fields, Login, NotALogin, Object, Owned, Tree, Value};
pub use plan::{
    Change, Drift, DriftKind, DriftPolicy, Plan, Response, Step, Why, agreed, carry_out, plan,
};
pub use wanted::{
    Class, NotAResource, Policy, Resource, Resources, Standing, Wanted, Wish, wanted,
};

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "the numbers of the stories are small")]
mod tests;
