import { type Html, html, prose } from './html.ts';

export interface Schema {
  $ref?: string;
  type?: string | string[];
  format?: string;
  description?: string;
  default?: unknown;
  const?: unknown;
  enum?: unknown[];
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  prefixItems?: Schema[];
  additionalProperties?: Schema | boolean;
  anyOf?: Schema[];
  minimum?: number;
  maximum?: number;
  minItems?: number;
  maxItems?: number;
}

/** A schema as a list of its fields; a schema with a name is a link to it. */
export function renderSchema(schema: Schema): Html {
  const fields = fieldsOf(schema);
  return html`<p class="type">${typeOf(schema)}${detail(schema)}</p>
    ${fields.length > 0 && renderFields(schema, fields)}`;
}

function renderFields(schema: Schema, fields: [string, Schema][]): Html {
  const owner = objectIn(schema);
  return html`<dl class="fields">
    ${fields.map(([name, field]) => {
      const nested = fieldsOf(field);
      return html`<div>
        <dt><code>${name}</code>${!owner?.required?.includes(name) && html`<small> optional</small>`}</dt>
        <dd>
          <span class="type">${typeOf(field)}</span>${detail(field)}
          ${
            nested.length > 0 &&
            html`<details>
              <summary>${nested.length} fields</summary>
              ${renderFields(field, nested)}
            </details>`
          }
        </dd>
      </div>`;
    })}
  </dl>`;
}

function objectIn(schema: Schema): Schema | undefined {
  if (schema.properties) return schema;
  if (schema.items) return objectIn(schema.items);
  return schema.anyOf?.find(({ properties }) => properties);
}

function fieldsOf(schema: Schema): [string, Schema][] {
  return Object.entries(objectIn(schema)?.properties ?? {});
}

function detail(schema: Schema): Html {
  const { description, default: usual, minimum, maximum, minItems, maxItems, prefixItems } = schema;
  const most = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER ? maximum : maxItems;
  // A tuple shows its length itself.
  const limits = prefixItems
    ? []
    : ([
        ['from', minimum ?? minItems],
        ['to', most],
      ] as const);
  const bounds = limits.flatMap(([word, bound]) => (bound ? ` ${word} ${bound}` : []));
  return html`${bounds.length > 0 && html`<small>${bounds.join('')}</small>`}
  ${usual !== undefined && html`<small> default ${JSON.stringify(usual)}</small>`}
  ${description !== undefined && html`<span class="quiet"> ${prose(description)}</span>`}`;
}

function typeOf(schema: Schema): Html {
  const {
    $ref,
    type,
    format,
    const: only,
    enum: words,
    items,
    prefixItems,
    anyOf,
    additionalProperties,
  } = schema;
  if ($ref !== undefined) {
    const name = $ref.split('/').at(-1) ?? '';
    return html`<a href="#schema-${name}">${name}</a>`;
  }
  if (anyOf) return html`${anyOf.map((one, index) => html`${index > 0 && ' or '}${typeOf(one)}`)}`;
  if (only !== undefined) return html`<code>${JSON.stringify(only)}</code>`;
  if (words)
    return html`${words.map((word, index) => html`${index > 0 && ' | '}<code>${String(word)}</code>`)}`;
  if (prefixItems)
    return html`[${prefixItems.map((one, index) => html`${index > 0 && ', '}${typeOf(one)}`)}]`;
  if (items) return html`array of ${typeOf(items)}`;
  if (typeof additionalProperties === 'object') return html`object of ${typeOf(additionalProperties)}`;
  const name = Array.isArray(type) ? type.join(' or ') : (type ?? 'anything');
  return html`${format === undefined ? name : `${name} (${format})`}`;
}
