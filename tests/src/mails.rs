//! Mails to owners, asked for and found without the handlers.

use aws_sdk_dynamodb::types::AttributeValue;
use infra::log::Appended;
use schema::{
    Commit, MailId, UserId,
    commit::Tail,
    mail::{Asked, Event, Kind},
    table::EVENTS,
};

use crate::stage::{Owner, Stage};

impl Owner<'_> {
    /// The id of this account's welcome mail.
    #[must_use]
    pub fn welcome(&self) -> MailId {
        MailId(self.id.0)
    }

    /// Appends that a mail was asked for. Returns its id.
    pub async fn asked(&self, kind: Kind) -> MailId {
        let clock = &self.stage.backend.clock;
        let id = match kind {
            Kind::Welcome => self.welcome(),
            Kind::Confirmation | Kind::PasswordReset => MailId(clock.id(clock.now())),
        };
        let user_seq = self.stage.commits(self.id).await.last().map_or(0, |last| last.last);
        let asked = Event::Asked(Asked { kind, user_seq });
        let at = clock.now();
        let commit =
            Commit::new(id.into(), &Tail::EMPTY, at, clock.id(at), &self.author(), &[asked]).unwrap();
        let log = self.stage.log_over(self.stage.dynamodb.clone());
        assert_eq!(log.append(&[commit], Vec::new()).await.unwrap(), Appended::Landed);
        id
    }
}

impl Stage {
    /// Returns the mails to an account's owner, in the order in which they were asked for.
    pub async fn mails_of(&self, account: UserId) -> Vec<MailId> {
        let scan = self.dynamodb.scan().table_name(EVENTS.name(&self.prefix)).consistent_read(true);
        let scan = scan
            .filter_expression("begins_with(#stream, :mail) AND #tenant = :account AND #seq = :first")
            .expression_attribute_names("#stream", "stream")
            .expression_attribute_names("#tenant", "tenant")
            .expression_attribute_names("#seq", "seq")
            .expression_attribute_values(":mail", AttributeValue::S("mail-".into()))
            .expression_attribute_values(":account", AttributeValue::S(account.to_string()))
            .expression_attribute_values(":first", AttributeValue::N("1".into()));
        let items = scan.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await.unwrap();
        let mut found: Vec<(String, MailId)> = items
            .iter()
            .map(|item| {
                let text = |name: &str| item[name].as_s().unwrap().clone();
                (text("at"), text("stream").trim_start_matches("mail-").parse().unwrap())
            })
            .collect();
        found.sort();
        found.into_iter().map(|(_, id)| id).collect()
    }
}
