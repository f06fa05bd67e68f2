import { recipeJsonSchema, type PassName } from '../../preload/contract/index.ts';

type Schema = ReturnType<typeof recipeJsonSchema>;

/** How an option is chosen. */
export type OptionKind =
  | { readonly kind: 'choice'; readonly values: readonly (string | number)[] }
  | { readonly kind: 'switch' }
  | {
      readonly kind: 'number';
      readonly whole: boolean;
      readonly least: number;
      readonly most: number;
    }
  | { readonly kind: 'text' }
  /** Patterns of hook names. */
  | { readonly kind: 'targets' }
  /** Several of a set of numbers. */
  | { readonly kind: 'choices'; readonly values: readonly (string | number)[] }
  /** Whole numbers, any. */
  | { readonly kind: 'numbers' }
  /** An object that may be left out as a whole. */
  | { readonly kind: 'group'; readonly options: readonly Option[] }
  /** An object of one of several kinds, each with its own fields. */
  | {
      readonly kind: 'variant';
      readonly variants: readonly { readonly name: string; readonly options: readonly Option[] }[];
    };

/** One option of a pass, as its schema describes it. */
export interface Option {
  readonly key: string;
  readonly description: string;
  /** What holds where it is left out; undefined where leaving out means something of its own. */
  readonly standard: unknown;
  readonly input: OptionKind;
}

const known = new Map<PassName, readonly Option[]>();

/** The options of a pass in the order of its schema, targets last. */
export function optionsOf(pass: PassName): readonly Option[] {
  const before = known.get(pass);
  if (before) return before;
  const options = optionsIn(stepOf(pass)).filter(({ key }) => key !== 'pass');
  const sorted = options.toSorted((a, b) => Number(isTargets(a)) - Number(isTargets(b)));
  known.set(pass, sorted);
  return sorted;
}

/** Whether an option chooses layers by patterns. */
export const isTargets = ({ input }: Option): boolean => input.kind === 'targets';

/** What a pass does, in a sentence. */
export const descriptionOf = (pass: PassName): string => stepOf(pass).description ?? '';

function stepOf(pass: PassName): Schema {
  const steps = schemaOf(recipeJsonSchema(), 'passes', 'items').oneOf ?? [];
  const step = steps.find((candidate) => propertiesOf(candidate)['pass']?.const === pass);
  if (!step) throw new Error(`the schema has no pass of this name: ${pass}`);
  return step;
}

/** The options of calibration. */
export const calibrationOptions = (): readonly Option[] =>
  optionsIn(schemaOf(recipeJsonSchema(), 'calibration'));

const optionsIn = (schema: Schema): Option[] =>
  Object.entries(propertiesOf(schema)).map(([key, property]) => ({
    key,
    description: property.description ?? '',
    standard: property.default,
    input: inputOf(key, property),
  }));

function inputOf(key: string, schema: Schema): OptionKind {
  if (schema.oneOf) {
    const variants = schema.oneOf.map((variant) => ({
      name: String(propertiesOf(variant)['kind']?.const),
      options: optionsIn(variant).filter((option) => option.key !== 'kind'),
    }));
    return { kind: 'variant', variants };
  }
  if (schema.enum) return { kind: 'choice', values: schema.enum.filter(isWord) };
  switch (schema.type) {
    case 'boolean':
      return { kind: 'switch' };
    case 'integer':
    case 'number':
      return {
        kind: 'number',
        whole: schema.type === 'integer',
        least: schema.minimum ?? Number(schema.exclusiveMinimum ?? -Infinity),
        most: schema.maximum ?? Number(schema.exclusiveMaximum ?? Infinity),
      };
    case 'object':
      return { kind: 'group', options: optionsIn(schema) };
    case 'array': {
      const items = itemsOf(schema);
      if (items.enum) return { kind: 'choices', values: items.enum.filter(isWord) };
      return items.type === 'string' ? { kind: 'targets' } : { kind: 'numbers' };
    }
    case 'string':
      return { kind: 'text' };
    default:
      throw new Error(`an option of a kind without a field: ${key}`);
  }
}

const isWord = (value: unknown): value is string | number =>
  typeof value === 'string' || typeof value === 'number';

const isSchema = (value: unknown): value is Schema => typeof value === 'object' && value !== null;

const propertiesOf = ({ properties = {} }: Schema): Record<string, Schema> =>
  Object.fromEntries(
    Object.entries(properties).flatMap(([key, value]) => (isSchema(value) ? [[key, value]] : [])),
  );

function itemsOf({ items }: Schema): Schema {
  if (!isSchema(items) || Array.isArray(items)) throw new Error('a list of no one kind');
  return items;
}

/** Follows properties, or the items of a list, from a schema inwards. */
function schemaOf(schema: Schema, ...path: string[]): Schema {
  return path.reduce((at, key) => {
    const next = key === 'items' ? itemsOf(at) : propertiesOf(at)[key];
    if (!next) throw new Error(`the schema has no ${path.join('.')}`);
    return next;
  }, schema);
}

/** `groupSize` as people read it: `Group size`. */
export function labelOf(key: string): string {
  const words = key.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return words.charAt(0).toUpperCase() + words.slice(1).replaceAll('-', ' ');
}

/** Whether two values of options are the same. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null) return a === b;
  const [left, right] = [new Map(Object.entries(a)), new Map(Object.entries(b))];
  return (
    Array.isArray(a) === Array.isArray(b) &&
    left.size === right.size &&
    [...left].every(([key, value]) => right.has(key) && sameValue(value, right.get(key)))
  );
}
