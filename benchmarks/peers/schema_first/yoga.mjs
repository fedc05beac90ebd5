// GraphQL Yoga as its documentation starts it, without the page for browsers; PORT is where it listens.
import { createServer } from 'node:http'
import { createSchema, createYoga } from 'graphql-yoga'
import { resolvers, typeDefs } from './page.mjs'

const yoga = createYoga({ schema: createSchema({ typeDefs, resolvers }), graphiql: false, logging: false })
createServer(yoga).listen(Number(process.env.PORT), '127.0.0.1')
