// The page that is measured: the newest jobs of an organization with their records, by one statement on our own tables.
import pg from 'pg'

pg.types.setTypeParser(20, Number) // BIGINT: microseconds since 1970, and exact below 2^53

const SQL = `SELECT j.id, j.entity_type, j.trigger_kind, j.status, j.priority, j.progress, j.attempts, j.max_attempts,
  j.credits_used, j.created_at, j.started_at, j.finished_at, r.id AS record_id, r.external_id, r.completeness,
  r.last_enriched_at
  FROM (SELECT * FROM job WHERE organization_id = $1 ORDER BY id DESC LIMIT $2) AS j
  JOIN record AS r ON r.id = j.record_id ORDER BY j.id DESC`

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 6 })
const moment = (micros) => (micros === null ? null : new Date(micros / 1000).toISOString())

async function jobs (_, { first }) {
  const { rows } = await pool.query({ name: 'jobs', text: SQL, values: [process.env.ORGANIZATION, first + 1] })
  const hasNextPage = rows.length > first
  const nodes = rows.slice(0, first).map((row) => ({
    id: row.id,
    entityType: row.entity_type.toUpperCase(),
    trigger: row.trigger_kind.toUpperCase(),
    status: row.status.toUpperCase(),
    priority: row.priority,
    progress: row.progress,
    attempts: row.attempts,
    maxAttempts: row.max_attempts,
    creditsUsed: row.credits_used,
    createdAt: moment(row.created_at),
    startedAt: moment(row.started_at),
    finishedAt: moment(row.finished_at),
    record: {
      id: row.record_id,
      externalId: row.external_id,
      completeness: row.completeness,
      lastEnrichedAt: moment(row.last_enriched_at)
    }
  }))
  return { nodes, pageInfo: { hasNextPage, endCursor: nodes.at(-1)?.id ?? null } }
}

export const typeDefs = `
  type Query { jobs(first: Int!): JobConnection! }
  type JobConnection { nodes: [Job!]!, pageInfo: PageInfo! }
  type PageInfo { hasNextPage: Boolean!, endCursor: String }
  type Job {
    id: ID!, entityType: String!, trigger: String!, status: String!, priority: Int!, progress: Int!, attempts: Int!,
    maxAttempts: Int!, creditsUsed: Int!, createdAt: String!, startedAt: String, finishedAt: String, record: Record!
  }
  type Record { id: ID!, externalId: String!, completeness: Float!, lastEnrichedAt: String }
`
export const resolvers = { Query: { jobs } }
