"use strict";

// What the page offers, each in a tab of its own. They work on the sample as they are.
const DOCUMENTS = [
  `# The newest jobs, with what each provider said and how each field ended. Ctrl-Enter runs it.
query NewestJobs {
  jobs(first: 5) {
    nodes {
      id
      status
      trigger
      fieldsUpdated
      record { entityType externalId completeness }
      steps { provider outcome fieldsFound creditsCharged detail }
      fieldOutcomes { field reason provider confidence }
    }
    pageInfo { hasNextPage endCursor }
  }
}
`,
  `# Where each value of the accounts comes from, and the open questions about them.
query Accounts {
  records(first: 5, filter: { entityType: ACCOUNT }) {
    nodes {
      externalId
      fields
      completeness
      provenance { field value source confidence observedAt }
    }
  }
  conflicts(first: 5) {
    nodes {
      field
      reason
      current { value source }
      candidates { value provider confidence }
      recommendation
      recommendedBecause
    }
  }
}
`,
  `# Everything that has changed, from the oldest event that is kept, and then as it happens.
subscription Watch {
  events(after: "0") {
    kind
    at
    cursor
    record { entityType externalId }
    job { status progress }
  }
}
`,
];
