import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { html, htmlText } from "../../../src/server/http/pages/html.ts";
import { HOSTILE, SHOWN } from "./samples.ts";

describe("a template", () => {
  it("escapes whatever did not come out of one", () => {
    const inner = html`<b>${HOSTILE}</b>`;
    assert.equal(
      htmlText(html`<p title="${HOSTILE}">${inner}${[inner, 1, null]}</p>`),
      `<p title="${SHOWN}"><b>${SHOWN}</b><b>${SHOWN}</b>1</p>`,
    );
  });
});
