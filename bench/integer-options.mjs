/** The command line of the longer measurements. */
import { parseArgs } from 'node:util';

/**
 * Options that are integers of 1 or more, with their defaults, and the switch `--json`.
 * @throws {RangeError} for another number. @throws {TypeError} for an option that there is not.
 */
export function readIntegers(defaults, args = process.argv.slice(2)) {
  const options = Object.keys(defaults).map((name) => [name, { type: 'string' }]);
  const { values } = parseArgs({
    args,
    options: { ...Object.fromEntries(options), json: { type: 'boolean', default: false } },
  });
  const numbers = Object.entries(defaults).map(([name, usual]) => {
    const value = Number(values[name] ?? usual);
    if (!Number.isInteger(value) || value < 1) {
      throw new RangeError(`--${name}: expected an integer of 1 or more, got "${values[name]}".`);
    }
    return [name, value];
  });
  return { ...Object.fromEntries(numbers), json: values.json };
}
