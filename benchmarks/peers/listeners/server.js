// graphql-ws as its documentation starts it. A GET of /N sends all subscribers the progress N.
import { createServer } from 'node:http'
import { GraphQLID, GraphQLInt, GraphQLNonNull, GraphQLObjectType, GraphQLSchema, GraphQLString } from 'graphql'
import { useServer } from 'graphql-ws/use/ws'
import { WebSocketServer } from 'ws'

const job = new GraphQLObjectType({
  name: 'Job',
  fields: {
    id: { type: new GraphQLNonNull(GraphQLID) },
    status: { type: new GraphQLNonNull(GraphQLString) },
    progress: { type: new GraphQLNonNull(GraphQLInt) },
  },
})

const waiting = new Set()

async function* watch() {
  const states = []
  let wake = () => {}
  const watcher = (state) => { states.push(state); wake() }
  waiting.add(watcher)
  try {
    while (true) {
      while (states.length) yield { jobProgress: states.shift() }
      await new Promise((resolve) => { wake = resolve })
    }
  } finally {
    waiting.delete(watcher)
  }
}

const schema = new GraphQLSchema({
  query: new GraphQLObjectType({ name: 'Query', fields: { ready: { type: GraphQLString } } }),
  subscription: new GraphQLObjectType({
    name: 'Subscription',
    fields: {
      jobProgress: { type: job, args: { jobId: { type: new GraphQLNonNull(GraphQLID) } }, subscribe: watch },
    },
  }),
})

const server = createServer((request, response) => {
  const state = { id: 'the-job', status: 'IN_PROGRESS', progress: Number(request.url.slice(1)) }
  for (const watcher of waiting) watcher(state)
  response.end('ok')
})
useServer({ schema }, new WebSocketServer({ server, path: '/graphql' }))
server.listen(Number(process.env.PORT), '127.0.0.1')
