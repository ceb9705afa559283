// The bodies of the public contract (schema/openapi.json) that the pages read and write. Types only: this file is not served.

declare namespace Api {
  type State = "waiting" | "called" | "confirmed" | "seated" | "left" | "removed" | "no-show";
  type MessageStatus = "due" | "started" | "sent" | "failed" | "unknown" | "skipped" | "bounced";

  interface Page<Item> {
    items: Item[];
    next: string | null;
  }

  interface Written {
    id: string;
    seq: number;
    state?: State;
  }

  interface Tokens {
    access_token: string;
    token_type: string;
    expires_in: number;
    refresh_token: string;
    refresh_expires_at: string;
  }

  interface User {
    id: string;
    email: string | null;
    name: string | null;
    email_confirmed: boolean;
    operator: boolean;
    registered_at: string;
    welcome: MessageStatus;
    seq: number;
  }

  interface Settings {
    name: string;
    time_zone: string;
    region: string;
    capacity: number;
    hold_minutes: number;
    remind_minutes: number | null;
    quote_minutes: number | null;
    language: string;
    day_starts: string;
  }

  interface Waitlist extends Settings {
    id: string;
    open: boolean;
    active: number | null;
    created_at: string;
    public_url: string;
    seq: number;
  }

  interface Notification {
    id: string;
    kind: "table-ready" | "reminder";
    channel: "sms" | "email" | null;
    status: MessageStatus;
    at: string;
    reason: string | null;
  }

  interface Party {
    name: string | null;
    party_size: number;
    phone: string | null;
    email: string | null;
    note: string | null;
    quoted_minutes: number | null;
    language: string | null;
  }

  interface Waitee extends Party {
    id: string;
    waitlist_id: string;
    state: State;
    position: number | null;
    duplicate_of: string | null;
    day: string;
    joined_at: string;
    quoted_at: string | null;
    called_at: string | null;
    calls: number;
    hold_until: string | null;
    confirmed_at: string | null;
    finished_at: string | null;
    joined_by: "host" | "guest";
    erased: boolean;
    notifications: Notification[];
    seq: number;
  }

  interface PublicWaitlist {
    id: string;
    name: string;
    open: boolean;
    waiting: number;
    quote_minutes: number | null;
    time_zone: string;
    language: string;
    region: string;
  }

  interface Joined extends Written {
    visit_token: string;
    status_url: string;
  }

  interface Visit {
    waitlist: { id: string; name: string; time_zone: string; language: string };
    state: State;
    position: number | null;
    ahead: number | null;
    party_size: number;
    quoted_at: string | null;
    hold_until: string | null;
    seq: number;
  }

  interface Event {
    stream: string;
    seq: number;
    type: string;
    v: number;
    at: string;
    actor: string;
    commit: string;
    correlation: string;
    causation: string | null;
    data: Record<string, any>;
  }

  interface Fault {
    pointer?: string;
    parameter?: string;
    header?: string;
    detail: string;
  }
}
