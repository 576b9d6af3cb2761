/** The part of JSON Schema that the tools use, so that arguments are read by the same words that the model sees. */
export interface ArgumentSchema {
  type: 'string' | 'integer';
  description: string;
  pattern?: string;
  format?: 'date-time';
  minimum?: number;
  maximum?: number;
  multipleOf?: number;
  maxLength?: number;
  examples: readonly (string | number)[];
}

/** As an LLM's tool loop takes it. */
export interface ToolDefinition {
  name: ToolName;
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

/** Appointments start and end on marks of this many minutes. */
export const SLOT_MINUTES = 5;

function idOf(what: string): ArgumentSchema {
  return {
    type: 'string',
    description: `Id of ${what}: 24 hexadecimal characters, as the other tools gave it. Never make one up.`,
    pattern: '^[0-9a-fA-F]{24}$',
    examples: ['65f1a2b3c4d5e6f708192a3b'],
  };
}
const start: ArgumentSchema = {
  type: 'string',
  description: `When it starts: ISO 8601 with the offset from UTC, in the future, on a mark of ${SLOT_MINUTES} minutes.`,
  format: 'date-time',
  examples: ['2031-05-14T10:30:00+02:00'],
};
const durationMinutes: ArgumentSchema = {
  type: 'integer',
  description: 'How long it takes, in minutes.',
  minimum: SLOT_MINUTES,
  maximum: 480,
  multipleOf: SLOT_MINUTES,
  examples: [60],
};
const notes: ArgumentSchema = {
  type: 'string',
  description: 'What the groomer should know, in the words of the customer.',
  maxLength: 1_000,
  examples: ['Afraid of the dryer.'],
};

export const TOOL_DEFINITIONS: readonly ToolDefinition[] = [
  {
    name: 'book_appointment',
    description:
      'Books a grooming appointment for a pet with one staff member. Says so if the staff member is busy then: ' +
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
      'Moves an appointment to another time, and to another staff member or another length if asked for. ' +
      'A canceled appointment can not be moved: book a new one.',
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
    description: 'Cancels an appointment. Ask the customer before. Canceling twice does no harm.',
    input_schema: {
      type: 'object',
      properties: { appointmentId: idOf('the appointment') },
      required: ['appointmentId'],
      additionalProperties: false,
    },
  },
];

/** The same tools in the shape of OpenAI's function calling. */
export function toOpenAiTools(definitions: readonly ToolDefinition[] = TOOL_DEFINITIONS) {
  return definitions.map(({ name, description, input_schema: parameters }) => ({
    type: 'function' as const,
    function: { name, description, parameters },
  }));
}
