import { Router } from 'express';
import { createAsyncApi } from './asyncapi.ts';
import { DOCS_STYLE } from './docs-style.ts';
import { createOpenApi } from './openapi.ts';
import { renderDocs } from './render-docs.ts';

const DAY_S = 86_400;

/**
 * `/openapi.json`, `/asyncapi.json`, and both as a page at `/docs`. Open: they tell shapes, never data. Each is one Buffer
 * that all answers share: an answer that waits for its client holds no copy.
 */
export function createDocsRoutes(basePath: string): Router {
  const router = Router();
  const [openApi, asyncApi] = [createOpenApi(basePath), createAsyncApi()];
  const serve = (path: string, type: string, text: string, headers: Record<string, string> = {}): void => {
    const body = Buffer.from(text);
    router.get(path, (_req, res) => {
      res.set(headers).type(type).send(body);
    });
  };
  serve('/openapi.json', 'json', JSON.stringify(openApi));
  serve('/asyncapi.json', 'json', JSON.stringify(asyncApi));
  serve('/docs', 'html', renderDocs(openApi, asyncApi, basePath));
  serve('/docs/style.css', 'css', DOCS_STYLE, { 'Cache-Control': `max-age=${DAY_S}` });
  return router;
}
