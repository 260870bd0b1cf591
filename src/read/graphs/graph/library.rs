//! A graph and its function library: nodes one after the other, functions by name.

use std::collections::BTreeMap;

use super::{Node, Slice, WALK};
use crate::base::error::{Error, ErrorKind, Result};

/// A `FunctionDef`.
#[derive(Clone, Copy, Debug)]
pub struct Function<'a> {
    /// Its name.
    pub name: &'a [u8],
    message: Slice<'a>,
}

/// The functions of a graph.
#[derive(Clone, Debug, Default)]
pub struct Library<'a> {
    /// All of them, in the order of the file.
    pub functions: Vec<Function<'a>>,
    /// Positions by name. A name stands for the first that has it; a second one is not hidden by that.
    pub by_name: BTreeMap<&'a [u8], usize>,
    /// Functions with the gradient that replaces their own.
    pub gradients: BTreeMap<&'a [u8], Vec<&'a [u8]>>,
}

/// Most functions of a library. The largest models have some ten thousand; a function of seven bytes takes ten times
/// that in memory.
const MOST_FUNCTIONS: usize = 1 << 20;

impl<'a> Function<'a> {
    /// Hands its nodes to `take`.
    ///
    /// # Errors
    /// If the message is damaged, or what `take` says.
    pub fn each_node(&self, mut take: impl FnMut(Node<'a>) -> Result<()>) -> Result<()> {
        self.message.each(|field| if field.number == 3 { take(Node::parse(field)?) } else { Ok(()) })
    }

    /// The names of its arguments, in order.
    ///
    /// # Errors
    /// If the message is damaged.
    pub fn arguments(&self) -> Result<Vec<&'a [u8]>> {
        let mut arguments = Vec::new();
        self.message.each(|field| {
            if field.number != 1 {
                return Ok(());
            }
            Slice::of(field)?.each(|field| {
                if field.number == 2 {
                    let mut name: &[u8] = b"";
                    Slice::of(field)?.each(|field| {
                        if field.number == 1 {
                            name = WALK.bytes(field)?;
                        }
                        Ok(())
                    })?;
                    arguments.push(name);
                }
                Ok(())
            })
        })?;
        Ok(arguments)
    }

    /// `ret`: for each result, what in the body it is.
    ///
    /// # Errors
    /// If the message is damaged.
    pub fn results(&self) -> Result<Vec<&'a [u8]>> {
        let mut results = Vec::new();
        self.message.each(|field| {
            if field.number != 4 {
                return Ok(());
            }
            Slice::of(field)?.each(|part| {
                if part.number == 2 {
                    results.push(WALK.bytes(part)?);
                }
                Ok(())
            })
        })?;
        Ok(results)
    }
}

impl<'a> Library<'a> {
    /// Reads the libraries of the `GraphDef` messages `graphs`.
    ///
    /// # Errors
    /// If one is damaged, or there are too many functions to keep.
    pub fn read(graphs: &[Slice<'a>]) -> Result<Self> {
        let mut library = Self::default();
        for graph in graphs {
            graph.each(|field| if field.number == 2 { library.add(Slice::of(field)?) } else { Ok(()) })?;
        }
        Ok(library)
    }

    /// The function with this name.
    pub fn get(&self, name: &[u8]) -> Option<&Function<'a>> {
        self.functions.get(*self.by_name.get(name)?)
    }

    fn add(&mut self, message: Slice<'a>) -> Result<()> {
        message.each(|field| {
            match field.number {
                1 => {
                    let function = Function { name: name_of(Slice::of(field)?)?, message: Slice::of(field)? };
                    self.by_name.entry(function.name).or_insert(self.functions.len());
                    self.functions.push(function);
                    let got = self.functions.len();
                    if got > MOST_FUNCTIONS {
                        let kind = ErrorKind::LimitExceeded {
                            what: "number of functions",
                            got: got as u64,
                            limit: MOST_FUNCTIONS as u64,
                        };
                        return Err(Error::new(kind).at_offset(field.offset));
                    }
                }
                2 => {
                    let (mut function, mut gradient): (&[u8], &[u8]) = (b"", b"");
                    Slice::of(field)?.each(|field| {
                        match field.number {
                            1 => function = WALK.bytes(field)?,
                            2 => gradient = WALK.bytes(field)?,
                            _ => {}
                        }
                        Ok(())
                    })?;
                    self.gradients.entry(function).or_default().push(gradient);
                }
                _ => {}
            }
            Ok(())
        })
    }
}

/// The name in the `OpDef` of a function's signature.
fn name_of(function: Slice<'_>) -> Result<&[u8]> {
    let mut name: &[u8] = b"";
    function.each(|field| {
        if field.number != 1 {
            return Ok(());
        }
        Slice::of(field)?.each(|field| {
            if field.number == 1 {
                name = WALK.bytes(field)?;
            }
            Ok(())
        })
    })?;
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::pb;

    #[test]
    fn functions_their_arguments_and_gradients() {
        let text = "library { function { signature { name: 'f' input_arg { name: 'x' } input_arg { name: 'y' } } \
                    node_def { name: 'a' op: 'Add' } ret { key: 'z' value: 'a:z:0' } } \
                    function { signature { name: 'f' } } gradient { function_name: 'f' gradient_func: 'g' } }";
        let bytes = pb::from_text("tensorflow.GraphDef", "graph", text.as_bytes()).unwrap();
        let library = Library::read(&[Slice { bytes: &bytes, offset: 0 }]).unwrap();
        let [function, second] = library.functions[..] else { panic!("two functions") };
        assert_eq!((library.by_name[&b"f"[..]], second.arguments().unwrap().len()), (0, 0));
        assert_eq!(function.arguments().unwrap(), [b"x", b"y"]);
        assert_eq!(function.results().unwrap(), [b"a:z:0"]);
        let mut ops = Vec::new();
        function
            .each_node(|node| {
                ops.push(node.op);
                Ok(())
            })
            .unwrap();
        assert_eq!((ops, &library.gradients[&b"f"[..]]), (vec![&b"Add"[..]], &vec![&b"g"[..]]));
    }
}
