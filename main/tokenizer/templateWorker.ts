/** What the worker needs to know; travels as `workerData`. */
export interface TemplateJob {
  /** Path of the Jinja library, for `require`. */
  jinja: string;
  template: string;
  variables: Record<string, unknown>;
  /** What `strftime_now` puts in the place of each code. */
  dateCodes: Record<string, string>;
  limits: { steps: number; length: number; rangeItems: number };
}

/** What the worker answers. */
export type TemplateAnswer =
  | { kind: 'text'; text: string }
  /** The template called `raise_exception`. */
  | { kind: 'raised'; message: string }
  | { kind: 'failed'; message: string };

/** `require`, as far as the worker uses it. */
interface Load {
  (name: 'node:worker_threads'): {
    parentPort: { postMessage(answer: TemplateAnswer): void };
    workerData: TemplateJob;
  };
  (jinja: string): typeof import('@huggingface/jinja');
}

type Replace = (this: string, from: string | RegExp, to: string) => string;

/**
 * Renders one template in a worker thread. The worker is started from the source text of this
 * function (so that the same works from TypeScript, from a bundle and in tests): it may use `load`
 * and what it declares itself, and nothing else of this module.
 *
 * The interpreter counts steps and measures every value it computes. Between two steps a single
 * built-in function could still ask for more memory than there is, and one such allocation ends the
 * whole process, not just the worker: so the functions that multiply lengths are bounded too, in
 * the worker's own realm.
 */
export function renderInWorker(load: Load): void {
  const { parentPort, workerData } = load('node:worker_threads');
  const { limits, dateCodes } = workerData;
  class Raised extends Error {}

  function checkLength(length: number): void {
    if (length > limits.length) throw new Error(`a value is longer than ${limits.length}`);
  }

  // oxlint-disable-next-line unicorn/consistent-function-scoping -- see above: nothing outside
  function bound(prototype: object, name: string, value: unknown): void {
    Object.defineProperty(prototype, name, { value, writable: true, configurable: true });
  }

  function boundBuiltIns(): void {
    // oxlint-disable-next-line typescript/unbound-method -- called with `call` below
    const { join } = Array.prototype;
    // oxlint-disable-next-line typescript/unbound-method -- called with `call` below
    const { repeat, replace, replaceAll } = String.prototype;
    bound(Array.prototype, 'join', function boundedJoin(this: unknown[], separator = ',') {
      let length = separator.length * this.length;
      checkLength(length);
      for (const item of this) {
        if (typeof item === 'string') length += item.length;
        checkLength(length);
      }
      return join.call(this, separator);
    });
    bound(String.prototype, 'repeat', function boundedRepeat(this: string, count: number) {
      checkLength(this.length * count);
      return repeat.call(this, count);
    });
    bound(String.prototype, 'replace', boundedReplace(replace));
    bound(String.prototype, 'replaceAll', boundedReplace(replaceAll));
  }

  /** With a function, builds the text match by match; the original collects all matches first. */
  function boundedReplace(original: Replace): unknown {
    return function replace(this: string, from: string | RegExp, to: unknown): string {
      if (typeof to !== 'function') return original.call(this, from, String(to));
      const pattern = from instanceof RegExp ? from : new RegExp(from);
      if (!pattern.global) throw new Error('a pattern of the template engine is not global');
      let text = '';
      let end = 0;
      pattern.lastIndex = 0;
      for (let match = pattern.exec(this); match !== null; match = pattern.exec(this)) {
        text += this.slice(end, match.index) + String(to(...match, match.index, this));
        checkLength(text.length);
        end = match.index + match[0].length;
        // An empty match must move on by one whole character.
        if (match[0] === '') pattern.lastIndex += (this.codePointAt(end) ?? 0) > 0xffff ? 2 : 1;
      }
      return text + this.slice(end);
    };
  }

  function range(from: number, to?: number, step = 1): number[] {
    const [start, stop] = to === undefined ? [0, from] : [from, to];
    const count = Math.max(0, Math.ceil((stop - start) / step));
    // A step of 0 makes the count infinite, and what is no number makes it NaN.
    if (!(count <= limits.rangeItems)) {
      throw new Error(`range() of more than ${limits.rangeItems} items`);
    }
    return Array.from({ length: count }, (_, i) => start + i * step);
  }

  function strftimeNow(format: string): string {
    return format.replace(/%([a-zA-Z%])/g, (whole, code: string) =>
      Object.hasOwn(dateCodes, code) ? dateCodes[code] : whole,
    );
  }

  function raiseException(message: unknown): never {
    throw new Raised(String(message));
  }

  function render(): string {
    const { Environment, Interpreter, parse, tokenize } = load(workerData.jinja);
    type Evaluate = (typeof Interpreter.prototype)['evaluate'];
    let steps = 0;
    class BoundedInterpreter extends Interpreter {
      override evaluate(...[statement, scope]: Parameters<Evaluate>): ReturnType<Evaluate> {
        steps += 1;
        if (steps > limits.steps) throw new Error(`it takes more than ${limits.steps} steps`);
        const result = super.evaluate(statement, scope);
        // Filters may give no value at all, such as the first item of an empty list.
        const value: unknown = result?.value;
        if (typeof value === 'string' || Array.isArray(value)) checkLength(value.length);
        return result;
      }
    }
    const scope = new Environment();
    const globals = {
      true: true,
      True: true,
      false: false,
      False: false,
      none: null,
      None: null,
      range,
      strftime_now: strftimeNow,
      raise_exception: raiseException,
      ...workerData.variables,
    };
    for (const [name, value] of Object.entries(globals)) scope.set(name, value);
    // Block trimming as transformers sets it for chat templates.
    const tokens = tokenize(workerData.template, { lstrip_blocks: true, trim_blocks: true });
    return new BoundedInterpreter(scope).run(parse(tokens)).toString();
  }

  try {
    boundBuiltIns();
    parentPort.postMessage({ kind: 'text', text: render() });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    parentPort.postMessage({ kind: error instanceof Raised ? 'raised' : 'failed', message });
  }
}
