// PostGraphile on our own tables, as its documentation says for production; PORT is where it listens.
const { createServer } = require('node:http')
const { Pool } = require('pg')
const { postgraphile } = require('postgraphile')

const pool = new Pool({ connectionString: process.env.DATABASE_URL, max: 6 })
const handler = postgraphile(pool, 'public', {
  graphiql: false,
  retryOnInitFail: false,
  disableQueryLog: true,
  ignoreRBAC: true,
  dynamicJson: true
})
createServer(handler).listen(Number(process.env.PORT), '127.0.0.1')
