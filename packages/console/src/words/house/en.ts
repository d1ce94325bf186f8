/** Words of the approvals, support bundles, output of runs, drift, people and what the log verifier found. */
export const HOUSE_EN = {
  // Approvals
  changes: "Proposed changes",
  no_changes: "Nothing was proposed. A command that somebody else should read first: rumi changes propose",
  ask_commit: "Carry out: {what}?",
  commit_change: "Commit",
  elsewhere: "Waits on other pages",

  // Support bundles
  bundle_made: "It is being made.",
  bundle_removed: "Its archive made room for newer ones; its hash stays.",
  bundle_taking: "It is read and hashed here.",
  bundle_checked: "Its SHA-256 was checked here and is the one above; saved.",
  bundle_other: "What came is not the archive that the list names, and was not saved. Its SHA-256:",
  bytes: "{count} bytes",
  ago: "{time} ago",

  // Output of runs
  output_ended: "ended",
  output_nothing: "It said nothing.",

  // Drift
  drift: "Drift",
  no_drift: "Everything is as it was decided.",
  drift_braked: "the brake holds {count} bots",
  drift_release: "Let it through",
  ask_drift_release: "Let through what the brake holds, of {count} bots?",

  // People
  add_person: "Add a person",
  person_name: "Name",
  ask_person: "Let {name} in as {roles}?",
  roles_change: "Change roles",
  ask_roles: "Give {name} the roles {roles}?",
  issue_token: "Issue a token",
  token_for: "What it is for",
  token_days: "Days",
  ask_token: "Issue a token of {name} for {days} days?",
  token_once: "This is the token. It is shown this once and never again; hand it over by a way that nobody else reads.",
  token_lost:
    "It was issued by the same wish before, and shown then. Nobody can show it again: revoke it and issue another.",
  token_kept: "It is handed over",

  // The log
  log_broken_means:
    "This log is not the one that it was, or not one that its key signed. Trust nothing that this program shows.",
  log_broken_do:
    "Stop what trades, keep a copy of the home as it is, and check it with a verifier that remembers: rumi audit verify.",
  log_other: "Another log than before",
  log_other_means:
    "Its signature and tree are sound, and it is not the log that this browser saw here before. Go on only if another home was meant to answer at this address.",
  log_other_meant: "This log is meant",
  log_unreachable_means: "Nothing can be said about the log until it is read again.",
  log_unsupported_means:
    "This browser cannot check signatures here: open the console over HTTPS or on this machine itself.",
} as const;
