import {
  fromJsonSchema,
  type JsonSchemaType,
  McpServer,
  type McpServerFactory,
} from '@modelcontextprotocol/server';
import type { McpTools } from './tools.ts';

/** As in package.json. */
export const VERSION = '0.1.0';

const INSTRUCTIONS =
  'Books appointments of one customer. Call find_free_slots first: it returns free times and the ids that the other tools take. ' +
  'Ask the customer for confirmation before you book, move or cancel.';

/**
 * Returns a function that creates a protocol server with the tools. The SDK calls it for each stdio connection and for each HTTP
 * request. All of these servers share the tools and keep nothing themselves.
 */
export function createServerFactory(tools: McpTools): McpServerFactory {
  const described = tools.list.map(({ name, inputSchema, outputSchema, ...rest }) => ({
    name,
    config: {
      ...rest,
      inputSchema: toUncheckedSchema(inputSchema),
      outputSchema: toUncheckedSchema(outputSchema),
    },
  }));
  return () => {
    const server = new McpServer(
      { name: 'appointment-emissions-mcp', version: VERSION },
      { instructions: INSTRUCTIONS, capabilities: { tools: { listChanged: false } } },
    );
    for (const { name, config } of described)
      server.registerTool(name, config, async (args: unknown) => {
        const { text, structured, isError } = await tools.call(name, args);
        return { content: [{ type: 'text', text }], structuredContent: structured, isError };
      });
    return server;
  };
}

/** A schema for `tools/list` only: the tools check their arguments themselves, and their messages say what to change. */
function toUncheckedSchema(schema: object) {
  const valid = (input: unknown) => ({ valid: true as const, data: input as never, errorMessage: undefined });
  return fromJsonSchema(schema as JsonSchemaType, { getValidator: () => valid });
}
