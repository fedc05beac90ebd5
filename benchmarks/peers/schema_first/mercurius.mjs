// Mercurius. JIT=1 compiles a document once it has been executed; PORT is where it listens.
import Fastify from 'fastify'
import mercurius from 'mercurius'
import { resolvers, typeDefs } from './page.mjs'

const app = Fastify()
app.register(mercurius, { schema: typeDefs, resolvers, jit: Number(process.env.JIT ?? 0), path: '/graphql' })
await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT) })
