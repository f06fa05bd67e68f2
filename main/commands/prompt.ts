import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { chatMessageSchema, type Prompt } from '../../preload/contract/generation.ts';
import { typedPath, UsageError, type Arguments, type Options } from './arguments.ts';

const messagesSchema = z.array(chatMessageSchema).min(1);

/** Options of commands that take a prompt. */
export const promptOptions: Options = {
  prompt: { placeholder: 'T', help: 'the prompt; may be empty' },
  'prompt-file': { placeholder: 'F', help: 'read the prompt from a file; - is the standard input' },
  chat: { help: "send the prompt as a user's message through the chat template" },
  messages: {
    placeholder: 'JSON',
    help: 'send a whole conversation instead: [{"role": …, "content": …}, …]',
  },
};

/** The prompt that was typed; a `UsageError` where there is none, or two. */
export function promptOf(args: Arguments): Prompt {
  const conversation = args.text('messages');
  if (conversation !== undefined) {
    if (args.has('prompt') || args.has('prompt-file')) {
      throw new UsageError('--messages and --prompt exclude each other');
    }
    return { kind: 'chat', messages: messagesOf(conversation) };
  }
  const text = promptTextOf(args);
  return args.has('chat')
    ? { kind: 'chat', messages: [{ role: 'user', content: text }] }
    : { kind: 'completion', text };
}

function messagesOf(text: string): z.infer<typeof messagesSchema> {
  try {
    return messagesSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new UsageError(
      `--messages must be a list of {"role": "system|user|assistant", "content": "…"}: ${text}`,
      { cause: error },
    );
  }
}

function promptTextOf(args: Arguments): string {
  const prompt = args.text('prompt');
  const file = args.text('prompt-file');
  if (prompt !== undefined && file !== undefined) {
    throw new UsageError('--prompt and --prompt-file exclude each other');
  }
  if (prompt !== undefined) return prompt;
  if (file === undefined) throw new UsageError('--prompt or --prompt-file is missing');
  const bytes = bytesOf(file);
  if (!isUtf8(bytes)) throw new UsageError(`--prompt-file must be UTF-8: ${file}`);
  return bytes.toString();
}

/** The standard input can be read once only. */
let standardInput: Buffer | undefined;

function bytesOf(file: string): Buffer {
  try {
    return file === '-' ? (standardInput ??= readFileSync(0)) : readFileSync(typedPath(file));
  } catch (error) {
    throw new UsageError(`--prompt-file cannot be read: ${file}`, { cause: error });
  }
}
