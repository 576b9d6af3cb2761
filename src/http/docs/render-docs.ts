import { type Html, html, prose } from './html.ts';
import { renderSchema, type Schema } from './render-schema.ts';

interface Described {
  operationId: string;
  tags: string[];
  summary: string;
  description?: string;
  security: Record<string, unknown>[];
  parameters?: { name: string; in: string; required: boolean; description: string; schema: Schema }[];
  requestBody?: { content: Record<string, { schema: Schema }> };
  responses: Record<string, { description: string; content?: Record<string, { schema: Schema }> }>;
}
interface Route extends Described {
  method: string;
  path: string;
}
interface Message {
  name: string;
  summary?: string;
  payload: Schema;
}

/** Both documents as one page without a script. */
export function renderDocs(
  openApi: Record<string, unknown>,
  asyncApi: Record<string, unknown>,
  basePath: string,
): string {
  const { info, paths, components } = openApi as unknown as {
    info: { title: string; description: string };
    paths: Record<string, Record<string, Described>>;
    components: { schemas: Record<string, Schema>; securitySchemes: Record<string, { description: string }> };
  };
  const { channels, components: events } = asyncApi as unknown as {
    channels: Record<string, { address: string; description: string; messages: Record<string, Message> }>;
    components: { schemas: Record<string, Schema> };
  };
  const routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, described]): Route => ({
      ...described,
      method,
      path: `${basePath}${path}`,
    })),
  );
  const tags = [...new Set(routes.flatMap((route) => route.tags))];
  const schemas = Object.entries({ ...events.schemas, ...components.schemas }).sort(([a], [b]) =>
    a.localeCompare(b),
  );

  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${info.title}: interfaces</title>
        <link rel="icon" href="${basePath}/icon.svg" type="image/svg+xml" />
        <link rel="stylesheet" href="${basePath}/docs/style.css" />
      </head>
      <body>
        <nav aria-label="Contents">
          <h1>${info.title}</h1>
          <p class="quiet">
            <a href="${basePath}/openapi.json">openapi.json</a> ·
            <a href="${basePath}/asyncapi.json">asyncapi.json</a>
          </p>
          ${tags.map(
            (tag) =>
              html`<h2>${tag}</h2>
                <ul>
                  ${routes
                    .filter((route) => route.tags.includes(tag))
                    .map((route) => html`<li><a href="#${route.operationId}">${route.summary}</a></li>`)}
                </ul>`,
          )}
          <h2>Sockets</h2>
          <ul>
            ${Object.entries(channels).map(
              ([name, { address }]) => html`<li><a href="#channel-${name}">Namespace ${address}</a></li>`,
            )}
          </ul>
          <h2><a href="#schemas">Schemas</a></h2>
        </nav>
        <main>
          <p>${prose(info.description)}</p>
          ${routes.map((route) => renderRoute(route, components.securitySchemes))}
          ${Object.entries(channels).map(
            ([name, { address, description, messages }]) =>
              html`<section id="channel-${name}">
                <h2>Sockets: <code>${address}</code></h2>
                <p>${prose(description)}</p>
                ${Object.values(messages).map(
                  (message) =>
                    html`<article>
                      <h3><code>${message.name}</code></h3>
                      ${message.summary !== undefined && html`<p>${prose(message.summary)}</p>`}
                      ${renderSchema(message.payload)}
                    </article>`,
                )}
              </section>`,
          )}
          <section id="schemas">
            <h2>Schemas</h2>
            ${schemas.map(
              ([name, schema]) =>
                html`<article id="schema-${name}">
                  <h3>${name}</h3>
                  ${renderSchema(schema)}
                </article>`,
            )}
          </section>
        </main>
      </body>
    </html>`.text;
}

function renderRoute(route: Route, schemes: Record<string, { description: string }>): Html {
  const [security] = route.security.flatMap((one) => Object.keys(one));
  const body = route.requestBody?.content['application/json']?.schema;
  return html`<section id="${route.operationId}">
    <h2>${route.summary}</h2>
    <p class="route">
      <b class="${route.method}">${route.method.toUpperCase()}</b> <code>${route.path}</code>
    </p>
    ${route.description !== undefined && html`<p>${prose(route.description)}</p>`}
    ${security !== undefined && html`<p class="quiet">Needs ${prose(schemes[security]?.description ?? '')}</p>`}
    ${
      route.parameters &&
      html`<h3>Parameters</h3>
        <dl class="fields">
          ${route.parameters.map(
            (parameter) =>
              html`<div>
                <dt>
                  <code>${parameter.name}</code
                  ><small> ${parameter.in}${!parameter.required && ', optional'}</small>
                </dt>
                <dd>${prose(parameter.description)}</dd>
              </div>`,
          )}
        </dl>`
    }
    ${
      body &&
      html`<h3>Body</h3>
        ${renderSchema(body)}`
    }
    <h3>Answers</h3>
    <dl class="fields answers">
      ${Object.entries(route.responses).map(([status, { description, content }]) => {
        const schema = content?.['application/json']?.schema;
        return html`<div>
          <dt><b class="${status.startsWith('2') ? 'good' : 'bad'}">${status}</b></dt>
          <dd>${prose(description)} ${schema && renderSchema(schema)}</dd>
        </div>`;
      })}
    </dl>
  </section>`;
}
