import { ActionIcon, Button, Select, Textarea } from '@mantine/core';
import { IconPlus, IconX } from '@tabler/icons-react';
import type { ChatMessage } from '../../../preload/contract/index.ts';
import { usePart, useStudio } from '../studioContext.ts';
import classes from './PromptPane.module.css';

const roles: readonly { value: ChatMessage['role']; label: string }[] = [
  { value: 'system', label: 'System' },
  { value: 'user', label: 'User' },
  { value: 'assistant', label: 'Assistant' },
];

/** A conversation as a list of messages, each with its role. */
export function ChatEditor() {
  const { draft } = useStudio();
  const messages = usePart(draft.store, (state) => state.messages);
  const change = (index: number, part: Partial<ChatMessage>): void =>
    draft.change({
      messages: messages.map((message, at) => (at === index ? { ...message, ...part } : message)),
    });
  const nextRole = messages.at(-1)?.role === 'user' ? 'assistant' : 'user';
  return (
    <>
      <ol className={classes.messages} aria-label="Messages">
        {messages.map((message, index) => (
          // A message has no identity but its place: nothing in a row outlives a change of the list.
          // oxlint-disable-next-line react/no-array-index-key
          <li key={index} className={classes.message}>
            <Select
              aria-label={`Role of message ${index + 1}`}
              data={roles}
              value={message.role}
              onChange={(role) => {
                if (role) change(index, { role });
              }}
            />
            <Textarea
              aria-label={`Message ${index + 1}`}
              autosize
              minRows={1}
              maxRows={12}
              value={message.content}
              placeholder={
                message.role === 'system' ? 'How the model should behave' : 'What is said'
              }
              onChange={(event) => change(index, { content: event.currentTarget.value })}
            />
            <ActionIcon
              aria-label={`Remove message ${index + 1}`}
              disabled={messages.length === 1}
              onClick={() => draft.change({ messages: messages.filter((_, at) => at !== index) })}
            >
              <IconX size={14} stroke={1.5} />
            </ActionIcon>
          </li>
        ))}
      </ol>
      <Button
        className={classes.add}
        size="xs"
        variant="default"
        leftSection={<IconPlus size={14} />}
        onClick={() => draft.change({ messages: [...messages, { role: nextRole, content: '' }] })}
      >
        Add message
      </Button>
    </>
  );
}
