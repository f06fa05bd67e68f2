import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { LatheError } from '../../preload/contract/errors.ts';
import type { ChatMessage } from '../../preload/contract/generation.ts';
import { strftimeCodes } from './strftime.ts';
import { renderInWorker, type TemplateAnswer, type TemplateJob } from './templateWorker.ts';

/** What a template may spend. Ordinary ones take some hundred steps and a few milliseconds. */
const TEMPLATE_LIMITS = {
  /** Wall-clock time once the worker runs. */
  milliseconds: 2000,
  /** Heap of the worker; with its stack and code it stays under 256 MB. */
  oldGenerationMb: 160,
  youngGenerationMb: 32,
  /** Deep nesting and recursion end here, as a RangeError inside the worker. */
  stackMb: 4,
  steps: 1_000_000,
  /** Characters of a text (the output too) and items of a list. */
  length: 4 * 1024 * 1024,
  rangeItems: 1_000_000,
  /** Characters of the template itself; the longest in use have some 20,000. */
  template: 1024 * 1024,
  /** Characters of a message that goes into an error. */
  message: 1000,
};

/** What a chat template sees, as in transformers' `apply_chat_template`. */
export interface ChatVariables {
  messages: readonly ChatMessage[];
  /** Texts of the special tokens by the names templates use: bos_token, eos_token, … */
  tokens: Readonly<Record<string, string>>;
  /** Ends the text so that the assistant speaks next. */
  addGenerationPrompt: boolean;
  /** For `strftime_now`; the present by default. */
  now?: Date;
}

/**
 * Renders a chat template (Jinja, as Hugging Face models carry it) to the prompt text. It comes with
 * the model and is not trusted: it runs in a worker thread of its own, under TEMPLATE_LIMITS.
 * The text holds special tokens written out; encode it without adding further ones. What users write
 * into a message is not escaped: a special token written there counts as one, as in transformers.
 * Throws template_invalid when the template is wrong, spends too much or refuses the messages.
 */
export async function renderChat(
  template: string,
  variables: ChatVariables,
  signal?: AbortSignal,
): Promise<string> {
  signal?.throwIfAborted();
  if (template.length > TEMPLATE_LIMITS.template) {
    throw invalid(`is longer than ${TEMPLATE_LIMITS.template} characters: ${template.length}`);
  }
  const answer = await runWorker(template, variables, signal);
  switch (answer.kind) {
    case 'text':
      return answer.text;
    case 'raised':
      throw invalid(`refuses these messages: ${answer.message.slice(0, TEMPLATE_LIMITS.message)}`);
    case 'failed':
      throw invalid(`failed: ${answer.message.slice(0, TEMPLATE_LIMITS.message)}`);
  }
}

function runWorker(
  template: string,
  { messages, tokens, addGenerationPrompt, now }: ChatVariables,
  signal: AbortSignal | undefined,
): Promise<TemplateAnswer> {
  const { milliseconds, oldGenerationMb, youngGenerationMb, stackMb, ...limits } = TEMPLATE_LIMITS;
  const job: TemplateJob = {
    jinja: createRequire(import.meta.url).resolve('@huggingface/jinja'),
    template,
    variables: {
      ...tokens,
      messages,
      add_generation_prompt: addGenerationPrompt,
      // Templates ask whether these are none, which an undefined variable is not.
      tools: null,
      documents: null,
    },
    dateCodes: strftimeCodes(now ?? new Date()),
    limits,
  };
  const worker = new Worker(`(${renderInWorker.toString()})(require)`, {
    eval: true,
    workerData: job,
    resourceLimits: {
      maxOldGenerationSizeMb: oldGenerationMb,
      maxYoungGenerationSizeMb: youngGenerationMb,
      stackSizeMb: stackMb,
    },
  });
  const { promise, resolve, reject } = Promise.withResolvers<TemplateAnswer>();
  let timer: NodeJS.Timeout | undefined;
  // A busy machine may take long to start a thread; that is not the template's fault.
  worker.once('online', () => {
    const seconds = milliseconds / 1000;
    timer = setTimeout(() => reject(invalid(`takes longer than ${seconds} s`)), milliseconds);
  });
  worker.once('message', resolve);
  worker.once('error', (error: NodeJS.ErrnoException) =>
    reject(
      error.code === 'ERR_WORKER_OUT_OF_MEMORY'
        ? invalid(`needs more memory than ${oldGenerationMb} MB`)
        : error,
    ),
  );
  const abort = (): void => reject(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  return promise.finally(() => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
    return worker.terminate();
  });
}

function invalid(what: string): LatheError {
  return new LatheError('template_invalid', `the chat template ${what}`);
}
