//! The deployment's template says the same as the code: tables, routes, functions, mappings, queues and permissions.

mod alarms;
mod dollars;
mod mappings;
mod metrics;
mod permissions;
mod roles;
mod routes;
mod tables;
