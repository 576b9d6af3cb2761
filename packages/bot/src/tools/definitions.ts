/** The subset of JSON Schema that the tools use. Arguments are validated against the same schema that the model receives. */
export interface ArgumentSchema {
  type: 'string' | 'integer';
  description: string;
  pattern?: string;
  format?: 'date-time' | 'date';
  minimum?: number;
  maximum?: number;
  multipleOf?: number;
  maxLength?: number;
  examples: readonly (string | number)[];
}

/** A tool definition in the format of Anthropic's Messages API. For OpenAI's format see {@link toOpenAiTools}. */
export interface ToolDefinition<Name extends string = ToolName> {
  name: Name;
  description: string;
  input_schema: {
    type: 'object';
    properties: Record<string, ArgumentSchema>;
    required: readonly string[];
    additionalProperties: false;
  };
}

export const TOOL_NAMES = ['book_appointment', 'reschedule_appointment', 'cancel_appointment'] as const;
export type ToolName = (typeof TOOL_NAMES)[number];

/** Appointments start and end at multiples of this many minutes. */
export const SLOT_MINUTES = 5;

function idOf(what: string): ArgumentSchema {
  return {
    type: 'string',
    description: `Id of ${what}: 24 hexadecimal characters, as returned by another tool. Never invent an id.`,
    pattern: '^[0-9a-fA-F]{24}$',
    examples: ['65f1a2b3c4d5e6f708192a3b'],
  };
}
const start: ArgumentSchema = {
  type: 'string',
  description: `Start time: ISO 8601 with an offset from UTC, in the future, at a multiple of ${SLOT_MINUTES} minutes.`,
  format: 'date-time',
  examples: ['2031-05-14T10:30:00+02:00'],
};
const durationMinutes: ArgumentSchema = {
  type: 'integer',
  description: 'Duration in minutes.',
  minimum: SLOT_MINUTES,
  maximum: 480,
  multipleOf: SLOT_MINUTES,
  examples: [60],
};
const notes: ArgumentSchema = {
  type: 'string',
  description: 'Information for the groomer, in the words of the customer.',
  maxLength: 1_000,
  examples: ['Afraid of the dryer.'],
};

export const TOOL_DEFINITIONS: readonly ToolDefinition[] = [
  {
    name: 'book_appointment',
    description:
      'Books a grooming appointment for a pet with one staff member. If the staff member is busy at that time, ' +
      'offer the customer another time or another staff member.',
    input_schema: {
      type: 'object',
      properties: {
        customerId: idOf('the customer'),
        petId: idOf("the customer's pet"),
        serviceId: idOf('the service'),
        serviceItemId: idOf("the service's variant for the pet's size and coat"),
        staffId: idOf('the staff member'),
        start,
        durationMinutes,
        notes,
      },
      required: ['customerId', 'petId', 'serviceId', 'staffId', 'start', 'durationMinutes'],
      additionalProperties: false,
    },
  },
  {
    name: 'reschedule_appointment',
    description:
      'Moves an appointment to another time. Optionally changes its staff member or its duration. ' +
      'A canceled appointment cannot be moved: book a new one.',
    input_schema: {
      type: 'object',
      properties: {
        appointmentId: idOf('the appointment'),
        start,
        durationMinutes,
        staffId: idOf('the staff member'),
      },
      required: ['appointmentId', 'start'],
      additionalProperties: false,
    },
  },
  {
    name: 'cancel_appointment',
    description:
      'Cancels an appointment. Ask the customer for confirmation first. Canceling twice is harmless.',
    input_schema: {
      type: 'object',
      properties: { appointmentId: idOf('the appointment') },
      required: ['appointmentId'],
      additionalProperties: false,
    },
  },
];

/** The tools of a bot that serves one customer: the model cannot name a customer. */
export const CUSTOMER_TOOL_DEFINITIONS: readonly ToolDefinition[] = TOOL_DEFINITIONS.map(withoutCustomer);

function withoutCustomer(definition: ToolDefinition): ToolDefinition {
  const { properties, required } = definition.input_schema;
  const kept = Object.entries(properties).filter(([name]) => name !== 'customerId');
  return {
    ...definition,
    input_schema: {
      ...definition.input_schema,
      properties: Object.fromEntries(kept),
      required: required.filter((name) => name !== 'customerId'),
    },
  };
}

/** Converts tool definitions to the format of OpenAI's function calling. */
export function toOpenAiTools(definitions: readonly ToolDefinition[] = TOOL_DEFINITIONS) {
  return definitions.map(({ name, description, input_schema: parameters }) => ({
    type: 'function' as const,
    function: { name, description, parameters },
  }));
}
