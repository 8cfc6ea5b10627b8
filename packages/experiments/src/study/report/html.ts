/** HTML text in which everything is escaped that was not written as HTML. */

/** Text that is HTML already. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Insertable = Html | string | number | readonly (Html | string | number)[];

/** A template whose values are escaped; values made by this function stay as they are, lists are joined. */
export function html(strings: TemplateStringsArray, ...values: readonly Insertable[]): Html {
  let text = strings[0] as string;
  for (const [i, value] of values.entries()) text += insert(value) + (strings[i + 1] as string);
  return new Html(text);
}

function insert(value: Insertable): string {
  if (value instanceof Html) return value.text;
  if (typeof value === 'object') return value.map(insert).join('');
  return escapeHtml(String(value));
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] as string);
}
