//! One node: its name and op at once, everything else when asked for.

use super::{Slice, WALK};
use crate::base::error::Result;
use crate::read::wire::{Field, Value};

/// A `NodeDef`.
#[derive(Clone, Copy, Debug)]
pub struct Node<'a> {
    /// Its name, unique in its graph or function.
    pub name: &'a [u8],
    /// What it does: the name of an op, or of a function of the library.
    pub op: &'a [u8],
    message: Slice<'a>,
}

/// What a node's input names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Input<'a> {
    /// The node, or in a function the argument, that it comes from.
    pub node: &'a [u8],
    /// Which of its outputs; the position within a list of outputs if it has a name.
    pub output: usize,
    /// Whether it only says that the other node runs first.
    pub control: bool,
}

impl<'a> Input<'a> {
    /// Reads `node`, `node:1`, `^node`, and inside functions `node:output:1`.
    pub fn parse(text: &'a [u8]) -> Self {
        if let Some(node) = text.strip_prefix(b"^") {
            return Self { node, output: 0, control: true };
        }
        let mut parts = text.split(|byte| *byte == b':');
        let node = parts.next().unwrap_or_default();
        let number = parts.next_back().and_then(|part| std::str::from_utf8(part).ok()?.parse().ok());
        Self { node, output: number.unwrap_or(0), control: false }
    }
}

impl<'a> Node<'a> {
    pub(super) fn parse(field: Field<'a>) -> Result<Self> {
        let message = Slice::of(field)?;
        let (mut name, mut op): (&[u8], &[u8]) = (b"", b"");
        message.each(|field| {
            match field.number {
                1 => name = WALK.bytes(field)?,
                2 => op = WALK.bytes(field)?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(Self { name, op, message })
    }

    /// Where it begins in the file.
    pub fn offset(&self) -> u64 {
        self.message.offset
    }

    /// Its inputs, data before control.
    ///
    /// # Errors
    /// If the message is damaged.
    pub fn inputs(&self) -> Result<Vec<Input<'a>>> {
        let mut inputs = Vec::new();
        self.each_input(|input| inputs.push(input))?;
        Ok(inputs)
    }

    /// Its inputs that carry values, in order.
    ///
    /// # Errors
    /// If the message is damaged.
    pub fn data_inputs(&self) -> Result<Vec<Input<'a>>> {
        let mut inputs = self.inputs()?;
        inputs.retain(|input| !input.control);
        Ok(inputs)
    }

    /// Hands its inputs to `take`, in order.
    ///
    /// # Errors
    /// If the message is damaged.
    pub fn each_input(&self, mut take: impl FnMut(Input<'a>)) -> Result<()> {
        self.message.each(|field| {
            if field.number == 3 {
                take(Input::parse(WALK.bytes(field)?));
            }
            Ok(())
        })
    }

    /// The attribute `key`, an `AttrValue`; of several the last, as protobuf has it.
    ///
    /// # Errors
    /// If the message is damaged.
    pub fn attr(&self, key: &[u8]) -> Result<Option<Slice<'a>>> {
        let mut found = None;
        self.each_attr(|name, value| {
            if name == key {
                found = Some(value);
            }
            Ok(())
        })?;
        Ok(found)
    }

    fn each_attr(&self, mut take: impl FnMut(&'a [u8], Slice<'a>) -> Result<()>) -> Result<()> {
        self.message.each(|field| if field.number == 5 { attr_entry(field, &mut take) } else { Ok(()) })
    }

    /// The attribute `key`, if it is bytes or text.
    ///
    /// # Errors
    /// If the message is damaged.
    pub fn text(&self, key: &[u8]) -> Result<Option<&'a [u8]>> {
        let mut text = None;
        if let Some(value) = self.attr(key)? {
            value.each(|field| {
                if field.number == 2 {
                    text = Some(WALK.bytes(field)?);
                }
                Ok(())
            })?;
        }
        Ok(text)
    }

    /// The function that the attribute `key` names.
    ///
    /// # Errors
    /// If the message is damaged.
    pub fn function(&self, key: &[u8]) -> Result<Option<&'a [u8]>> {
        let mut name = None;
        if let Some(value) = self.attr(key)? {
            value.each(|field| {
                if field.number != 10 {
                    return Ok(());
                }
                Slice::of(field)?.each(|field| {
                    if field.number == 1 {
                        name = Some(WALK.bytes(field)?);
                    }
                    Ok(())
                })
            })?;
        }
        Ok(name)
    }

    /// The texts of the attribute `key`, a list.
    ///
    /// # Errors
    /// If the message is damaged.
    pub fn texts(&self, key: &[u8]) -> Result<Vec<&'a [u8]>> {
        let mut texts = Vec::new();
        if let Some(value) = self.attr(key)? {
            value.each(|list| {
                if list.number != 1 {
                    return Ok(());
                }
                Slice::of(list)?.each(|field| {
                    if field.number == 2 {
                        texts.push(WALK.bytes(field)?);
                    }
                    Ok(())
                })
            })?;
        }
        Ok(texts)
    }

    /// The strings of a `Const`: `string_val` of its tensor. A string tensor in `tensor_content`, which only C++ writes
    /// and only rarely, gives the whole of it.
    ///
    /// # Errors
    /// If the message is damaged.
    pub fn const_strings(&self) -> Result<Vec<&'a [u8]>> {
        let mut strings = Vec::new();
        let Some(value) = self.attr(b"value")? else { return Ok(strings) };
        value.each(|tensor| {
            if tensor.number != 8 {
                return Ok(());
            }
            Slice::of(tensor)?.each(|field| {
                // `tensor_content` and `string_val`.
                if matches!(field.number, 4 | 8) {
                    strings.push(WALK.bytes(field)?);
                }
                Ok(())
            })
        })?;
        Ok(strings)
    }

    /// Hands the name of every function that its attributes name to `take`: of `f` of a call, of the branches of a
    /// `Case`, of the attributes that a function is itself given.
    ///
    /// Without recursion: what is nested deeper is put on a list, however deep a file pretends to nest.
    ///
    /// # Errors
    /// If the message is damaged.
    pub fn each_function(&self, mut take: impl FnMut(&'a [u8])) -> Result<()> {
        let mut open: Vec<Slice<'a>> = Vec::new();
        self.each_attr(|_, value| {
            open.push(value);
            Ok(())
        })?;
        while let Some(value) = open.pop() {
            let mut inner = Vec::new();
            value.each(|field| match field.number {
                10 => {
                    inner.push(Slice::of(field)?);
                    Ok(())
                }
                1 => Slice::of(field)?.each(|field| {
                    if field.number == 9 {
                        inner.push(Slice::of(field)?);
                    }
                    Ok(())
                }),
                _ => Ok(()),
            })?;
            for call in inner {
                call.each(|field| match field.number {
                    1 => {
                        take(WALK.bytes(field)?);
                        Ok(())
                    }
                    2 => attr_entry(field, &mut |_, value| {
                        open.push(value);
                        Ok(())
                    }),
                    _ => Ok(()),
                })?;
            }
        }
        Ok(())
    }
}

/// One entry of a `map<string, AttrValue>`.
fn attr_entry<'a>(field: Field<'a>, take: &mut dyn FnMut(&'a [u8], Slice<'a>) -> Result<()>) -> Result<()> {
    let (mut key, mut value): (&[u8], Slice<'a>) = (b"", Slice { bytes: b"", offset: field.offset });
    WALK.each_in(field, |part| {
        match (part.number, part.value) {
            (1, Value::Bytes(bytes)) => key = bytes,
            (2, _) => value = Slice::of(part)?,
            _ => {}
        }
        Ok(())
    })?;
    take(key, value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::pb;

    fn node(text: &str) -> Vec<u8> {
        pb::from_text("tensorflow.NodeDef", "node", text.as_bytes()).unwrap()
    }

    fn parse(bytes: &[u8]) -> Node<'_> {
        Node::parse(Field { number: 1, value: Value::Bytes(bytes), offset: 7 }).unwrap()
    }

    #[test]
    fn inputs_in_graphs_and_in_functions() {
        let input = |text: &'static str| {
            let Input { node, output, control } = Input::parse(text.as_bytes());
            (std::str::from_utf8(node).unwrap(), output, control)
        };
        assert_eq!(input("a/b"), ("a/b", 0, false));
        assert_eq!(input("a:3"), ("a", 3, false));
        assert_eq!(input("RestoreV2:tensors:2"), ("RestoreV2", 2, false));
        assert_eq!(input("^a"), ("a", 0, true));
        assert_eq!(input(""), ("", 0, false));
    }

    #[test]
    fn functions_are_found_in_lists_and_in_the_attributes_of_functions() {
        let bytes = node(
            "name: 'c' op: 'Case' attr { key: 'branches' value { list { func { name: 'a' attr { key: 'g' value { \
             func { name: 'deep' } } } } func { name: 'b' } } } } attr { key: 'f' value { func { name: 'f' } } }",
        );
        let mut names = Vec::new();
        parse(&bytes).each_function(|name| names.push(String::from_utf8(name.to_vec()).unwrap())).unwrap();
        names.sort();
        assert_eq!(names, ["a", "b", "deep", "f"]);
    }

    #[test]
    fn functions_nested_deeply_are_walked_without_recursion() {
        let wrap = |number: u8, inner: &[u8]| {
            let mut out = vec![number << 3 | 2];
            let mut len = inner.len();
            while len >= 0x80 {
                out.push(u8::try_from(len & 0x7f).unwrap() | 0x80);
                len >>= 7;
            }
            out.push(u8::try_from(len).unwrap());
            out.extend_from_slice(inner);
            out
        };
        let mut value: Vec<u8> = Vec::new();
        for _ in 0..2000 {
            let call = [wrap(1, b"f"), wrap(2, &wrap(2, &value))].concat();
            value = wrap(10, &call);
        }
        let bytes = wrap(5, &wrap(2, &value));
        let mut calls = 0;
        parse(&bytes).each_function(|_| calls += 1).unwrap();
        assert_eq!(calls, 2000);
    }

    #[test]
    fn strings_of_constants_and_attributes() {
        let bytes = node(
            "name: 'c' op: 'Const' attr { key: 'value' value { tensor { dtype: DT_STRING string_val: 'x' string_val: \
             'y' } } } attr { key: 'output_stream' value { s: 'file:///tmp/x' } } attr { key: 'urls' value { list { \
             s: 'u' s: 'v' } } }",
        );
        let node = parse(&bytes);
        assert_eq!((node.name, node.op, node.offset()), (&b"c"[..], &b"Const"[..], 7));
        assert_eq!(node.const_strings().unwrap(), [b"x", b"y"]);
        assert_eq!(node.text(b"output_stream").unwrap(), Some(&b"file:///tmp/x"[..]));
        assert_eq!(node.texts(b"urls").unwrap(), [b"u", b"v"]);
        assert_eq!(node.text(b"none").unwrap(), None);
    }
}
