import {
  Checkbox,
  NumberInput,
  SegmentedControl,
  Select,
  Switch,
  TagsInput,
  TextInput,
} from '@mantine/core';
import { labelOf, type Option, type OptionKind } from '../../state/passOptions.ts';
import { isObject } from '../../state/recipeText.ts';
import classes from './Option.module.css';
import { OptionField } from './OptionField.tsx';
import { RemovablePill } from '../../ui/RemovablePill.tsx';

interface OptionInputProps {
  label: string;
  /** Id of the text that explains it. */
  describedBy: string;
  input: OptionKind;
  value: unknown;
  onChange: (value: unknown) => void;
}

/** So many characters of choices fit side by side. */
const sideBySide = 30;

/** The field that fits the kind of an option. */
export function OptionInput({ label, describedBy, input, value, onChange }: OptionInputProps) {
  const named = { 'aria-label': label, 'aria-describedby': describedBy };
  switch (input.kind) {
    case 'choice': {
      const data = input.values.map((choice) => ({ value: String(choice), label: String(choice) }));
      const choose = (next: string | null): void =>
        onChange(input.values.find((choice) => String(choice) === next));
      const isShort = data.reduce((sum, choice) => sum + choice.label.length + 3, 0) <= sideBySide;
      return isShort ? (
        <SegmentedControl {...named} value={String(value)} data={data} onChange={choose} />
      ) : (
        <Select
          {...named}
          size="xs"
          className={classes.select}
          value={String(value)}
          data={data}
          onChange={choose}
        />
      );
    }
    case 'switch':
      return (
        <Switch
          {...named}
          checked={value === true}
          onChange={(event) => onChange(event.currentTarget.checked)}
        />
      );
    case 'number':
      return (
        <NumberInput
          {...named}
          size="xs"
          className={classes.number}
          value={typeof value === 'number' ? value : ''}
          allowDecimal={!input.whole}
          hideControls
          // What is being typed may be empty or half a number: only numbers go on.
          onChange={(next) => {
            const isNumber = typeof next === 'number';
            if (isNumber && next >= input.least && next <= input.most) onChange(next);
          }}
        />
      );
    case 'text':
      return (
        <TextInput
          {...named}
          size="xs"
          value={typeof value === 'string' ? value : ''}
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      );
    case 'targets':
      return (
        <TagsInput
          {...named}
          renderPill={({ value: word, onRemove }) => (
            <RemovablePill value={String(word)} onRemove={onRemove} />
          )}
          placeholder="blocks.*.mlp.*, Enter adds it"
          value={wordsOf(value)}
          splitChars={[',', ' ']}
          onChange={onChange}
        />
      );
    case 'choices':
      return (
        <Checkbox.Group
          {...named}
          value={wordsOf(value)}
          onChange={(next) => onChange(input.values.filter((each) => next.includes(String(each))))}
        >
          <span className={classes.checks}>
            {input.values.map((choice) => (
              <Checkbox key={choice} size="xs" value={String(choice)} label={String(choice)} />
            ))}
          </span>
        </Checkbox.Group>
      );
    case 'numbers':
      return (
        <TagsInput
          {...named}
          size="xs"
          className={classes.select}
          renderPill={({ value: word, onRemove }) => (
            <RemovablePill value={String(word)} onRemove={onRemove} />
          )}
          value={wordsOf(value)}
          placeholder={wordsOf(value).length === 0 ? 'Numbers' : ''}
          splitChars={[',', ' ']}
          onChange={(next) => {
            const numbers = next.filter((word) => /^\d+$/.test(word)).map(Number);
            onChange(numbers.length > 0 ? numbers : undefined);
          }}
        />
      );
    case 'group':
      return (
        <Nested
          name={label}
          options={isObject(value) ? input.options : []}
          value={isObject(value) ? value : {}}
          onChange={onChange}
          choice={
            <Switch
              {...named}
              checked={isObject(value)}
              onChange={(event) => onChange(event.currentTarget.checked ? {} : undefined)}
            />
          }
        />
      );
    case 'variant': {
      const object = isObject(value) ? value : {};
      const kind = String(object['kind']);
      return (
        <Nested
          name={label}
          options={input.variants.find(({ name }) => name === kind)?.options ?? []}
          value={object}
          onChange={onChange}
          choice={
            <SegmentedControl
              {...named}
              value={kind}
              data={input.variants.map(({ name }) => ({ value: name, label: labelOf(name) }))}
              onChange={(next) => onChange({ ...object, kind: next })}
            />
          }
        />
      );
    }
  }
}

interface NestedProps {
  name: string;
  options: readonly Option[];
  value: Readonly<Record<string, unknown>>;
  onChange: (value: unknown) => void;
  /** What decides over the fields below it. */
  choice: React.ReactNode;
}

function Nested({ name, options, value, onChange, choice }: NestedProps) {
  return (
    <fieldset aria-label={name} className={classes.nested}>
      {choice}
      {options.map((option) => (
        <OptionField
          key={option.key}
          option={option}
          value={value[option.key]}
          errors={[]}
          onChange={(next) => {
            const { [option.key]: _, ...others } = value;
            onChange(next === undefined ? others : { ...value, [option.key]: next });
          }}
        />
      ))}
    </fieldset>
  );
}

const wordsOf = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);
