//! Looking things up in a graph and its functions: nodes by name, who calls a function, what a variable is given.
//!
//! All of it is made when it is first asked for, because most graphs have no path to follow that needs it.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use super::reach::{Top, called};
use crate::base::error::Result;
use crate::read::graphs::graph::{Input, Library, Node};

/// The graph itself, or one of its functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Scope {
    Top,
    Function(usize),
}

/// Where functions are called, by position of the function.
pub(super) type Callers<'a> = BTreeMap<u32, Vec<(Scope, Node<'a>)>>;

/// Variables of the graph: the values that are assigned to each, and whether it is used by anything but assignments and
/// reads in the graph itself, so that a function or a restore may assign it too.
pub(super) type Variables<'a> = HashMap<&'a [u8], (Vec<Input<'a>>, bool)>;

/// The nodes of one function by name, and its arguments.
pub(super) type Body<'a> = (HashMap<&'a [u8], Node<'a>>, Vec<&'a [u8]>);

/// A graph and its functions, with what has been looked up before.
pub(super) struct Lookup<'t, 'a> {
    pub(super) top: &'t Top<'a>,
    pub(super) library: &'t Library<'a>,
    callers: OnceCell<Callers<'a>>,
    variables: OnceCell<Variables<'a>>,
    bodies: RefCell<BTreeMap<usize, Rc<Body<'a>>>>,
}

impl<'t, 'a> Lookup<'t, 'a> {
    pub(super) fn new(top: &'t Top<'a>, library: &'t Library<'a>) -> Self {
        Self { top, library, callers: OnceCell::new(), variables: OnceCell::new(), bodies: RefCell::default() }
    }

    /// The node of this name.
    pub(super) fn find(&self, scope: Scope, name: &[u8]) -> Result<Option<Node<'a>>> {
        Ok(match scope {
            Scope::Top => self.top.find(name).map(|(_, node)| node),
            Scope::Function(function) => self.body(function)?.0.get(name).copied(),
        })
    }

    /// The nodes and arguments of a function.
    pub(super) fn body(&self, function: usize) -> Result<Rc<Body<'a>>> {
        if let Some(body) = self.bodies.borrow().get(&function) {
            return Ok(Rc::clone(body));
        }
        let mut nodes = HashMap::new();
        let mut arguments = Vec::new();
        if let Some(function) = self.library.functions.get(function) {
            function.each_node(|node| {
                nodes.entry(node.name).or_insert(node);
                Ok(())
            })?;
            arguments = function.arguments()?;
        }
        let body = Rc::new((nodes, arguments));
        self.bodies.borrow_mut().insert(function, Rc::clone(&body));
        Ok(body)
    }

    /// Who calls what.
    pub(super) fn callers(&self) -> Result<&Callers<'a>> {
        if let Some(callers) = self.callers.get() {
            return Ok(callers);
        }
        let mut callers = Callers::new();
        let mut add = |scope: Scope, node: Node<'a>| {
            called(&node, self.library, &mut |function| callers.entry(function).or_default().push((scope, node)))
        };
        self.top.nodes.iter().try_for_each(|node| add(Scope::Top, *node))?;
        for (at, function) in self.library.functions.iter().enumerate() {
            function.each_node(|node| add(Scope::Function(at), node))?;
        }
        Ok(self.callers.get_or_init(|| callers))
    }

    /// What is assigned to the variables of the graph.
    pub(super) fn variables(&self) -> Result<&Variables<'a>> {
        if let Some(variables) = self.variables.get() {
            return Ok(variables);
        }
        let mut variables = Variables::new();
        for node in &self.top.nodes {
            let inputs = node.data_inputs()?;
            for (at, input) in inputs.iter().enumerate() {
                if self.top.find(input.node).is_none_or(|(_, node)| node.op != b"VarHandleOp") {
                    continue;
                }
                let variable = variables.entry(input.node).or_default();
                match (node.op, at) {
                    (b"AssignVariableOp", 0) => variable.0.extend(inputs.get(1)),
                    (b"ReadVariableOp" | b"VarIsInitializedOp" | b"DestroyResourceOp", 0) => {}
                    _ => variable.1 = true,
                }
            }
        }
        Ok(self.variables.get_or_init(|| variables))
    }
}
