import { Button, Menu, SegmentedControl, useComputedColorScheme } from '@mantine/core';
import { IconChevronDown } from '@tabler/icons-react';
import { samplePrompts } from '../../state/draft.ts';
import { modelKey } from '../../state/models.ts';
import { LazyTextEditor } from '../../editor/LazyTextEditor.tsx';
import { formatCount } from '../../ui/format.ts';
import { usePart, useStudio } from '../studioContext.ts';
import { ChatEditor } from './ChatEditor.tsx';
import classes from './PromptPane.module.css';
import { useTokenCount } from './useTokenCount.ts';

/** What the model is given: a text to go on with, or a conversation. */
export function PromptPane() {
  const { draft } = useStudio();
  const mode = usePart(draft.store, (state) => state.mode);
  const count = useTokenCount();
  return (
    <section aria-label="Prompt editor" className={classes.pane}>
      <div className={classes.bar}>
        <h2>Prompt</h2>
        <SegmentedControl
          aria-label="Kind of prompt"
          value={mode}
          onChange={(next) => draft.change({ mode: next })}
          data={[
            { value: 'completion', label: 'Completion' },
            { value: 'chat', label: 'Chat' },
          ]}
        />
        {mode === 'completion' && <Examples />}
        {count !== null && (
          <span className={classes.count}>
            {formatCount(count)} {count === 1 ? 'token' : 'tokens'}
          </span>
        )}
      </div>
      <div className={classes.body}>{mode === 'completion' ? <Completion /> : <Chat />}</div>
    </section>
  );
}

function Completion() {
  const { draft } = useStudio();
  const text = usePart(draft.store, (state) => state.text);
  const scheme = useComputedColorScheme('light');
  return (
    <LazyTextEditor
      label="Prompt"
      placeholder="Write the beginning of a text; the model goes on from there."
      value={text}
      scheme={scheme}
      onChange={(next) => draft.change({ text: next })}
    />
  );
}

function Chat() {
  const { draft, models } = useStudio();
  const chosen = usePart(draft.store, (state) => state.model);
  const record = usePart(models.store, (state) =>
    state.models?.find((candidate) => modelKey(candidate) === chosen),
  );
  return (
    <>
      {record && !record.hasChatTemplate && (
        <div className={classes.note}>
          <span>{record.name} has no chat template: it was made to complete text.</span>
          <Button size="xs" variant="default" onClick={() => draft.change({ mode: 'completion' })}>
            Use completion
          </Button>
        </div>
      )}
      <ChatEditor />
    </>
  );
}

function Examples() {
  const { draft } = useStudio();
  return (
    <Menu position="bottom-start" shadow="md">
      <Menu.Target>
        <Button
          size="xs"
          variant="subtle"
          color="gray"
          rightSection={<IconChevronDown size={12} aria-hidden="true" />}
        >
          Examples
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {samplePrompts.map(({ title, text }) => (
          <Menu.Item key={title} onClick={() => draft.change({ text })}>
            {title}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
