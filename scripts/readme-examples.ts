/** The fenced js blocks of a Markdown file, in order. */
export function examplesIn(markdown: string): string[] {
  return [...markdown.matchAll(/^```js\n([\s\S]*?)^```/gm)].map((match) => match[1] as string);
}
