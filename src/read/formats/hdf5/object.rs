//! Object headers: every group and every data set has one, a list of messages that say what it is.
//!
//! Specification, IV.A.1: version 1 is a plain list, version 2 has signatures and checksums. Both may go on elsewhere.

use std::collections::BTreeSet;

use super::checksum::check;
use super::fields::Fields;
use super::file::File;
use crate::base::error::{Error, Result};

/// Most bytes that the messages of one object may take: the library puts what is larger elsewhere.
const LONGEST: u64 = 64 << 20;

/// What a message is about, by its number.
pub(super) mod kind {
    pub(in super::super) const SPACE: u16 = 0x01;
    pub(in super::super) const LINK_INFO: u16 = 0x02;
    pub(in super::super) const DATATYPE: u16 = 0x03;
    pub(in super::super) const FILL_OLD: u16 = 0x04;
    pub(in super::super) const FILL: u16 = 0x05;
    pub(in super::super) const LINK: u16 = 0x06;
    pub(in super::super) const EXTERNAL_FILES: u16 = 0x07;
    pub(in super::super) const LAYOUT: u16 = 0x08;
    pub(in super::super) const FILTERS: u16 = 0x0b;
    pub(in super::super) const ATTRIBUTE: u16 = 0x0c;
    pub(in super::super) const CONTINUATION: u16 = 0x10;
    pub(in super::super) const SYMBOL_TABLE: u16 = 0x11;
    pub(in super::super) const ATTRIBUTE_INFO: u16 = 0x15;
}

/// One message.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) kind: u16,
    /// Whether only the place of the message is stored here.
    pub(super) shared: bool,
    /// Offset in the file.
    at: u64,
    bytes: Vec<u8>,
}

impl Message {
    /// A message that is a part of another structure.
    pub(super) fn of(kind: u16, shared: bool, at: u64, bytes: &[u8]) -> Self {
        Self { kind, shared, at, bytes: bytes.to_vec() }
    }

    pub(super) fn fields(&self, file: &File) -> Fields<'_> {
        Fields::new(&self.bytes, self.at, file.superblock.offset_size, file.superblock.length_size)
    }
}

/// The messages of one object.
#[derive(Clone, Debug)]
pub(super) struct Object {
    /// Address of its header.
    pub(super) address: u64,
    pub(super) messages: Vec<Message>,
}

/// A part of a header that is still to be read, and in which form.
struct Block {
    address: u64,
    len: u64,
}

impl Object {
    pub(super) fn read(file: &File, address: u64) -> Result<Self> {
        let here = |error: Error| file.located(error.at_offset(file.offset(address)));
        let start = file.bytes(address, 16.min(file.len().saturating_sub(address))).map_err(here)?;
        let read = if start.starts_with(b"OHDR") { Self::new(file, address) } else { Self::old(file, address, &start) };
        read.map_err(here)
    }

    /// The first message of a kind.
    pub(super) fn message(&self, kind: u16) -> Option<&Message> {
        self.messages.iter().find(|message| message.kind == kind)
    }

    fn old(file: &File, address: u64, start: &[u8]) -> Result<Self> {
        let mut fields = file.fields(start, address);
        if fields.u8()? != 1 {
            return Err(Error::malformed("HDF5 object header", "no object begins here"));
        }
        fields.skip(1)?;
        let count = usize::from(fields.u16()?);
        fields.skip(4)?;
        let len = u64::from(fields.u32()?);
        let mut object = Self { address, messages: Vec::new() };
        let mut open = vec![Block { address: address.saturating_add(16), len }];
        let mut walked = Walked::default();
        while let Some(block) = open.pop() {
            walked.enter(&block)?;
            let bytes = file.bytes(block.address, block.len)?;
            let mut fields = file.fields(&bytes, block.address);
            while fields.rest().len() >= 8 && object.messages.len() < count {
                let (kind, len, flags) = (fields.u16()?, fields.u16()?, fields.u8()?);
                fields.skip(3)?;
                object.take(file, &mut fields, kind, usize::from(len), flags, &mut open)?;
            }
        }
        Ok(object)
    }

    fn new(file: &File, address: u64) -> Result<Self> {
        let head = file.bytes(address, 34.min(file.len().saturating_sub(address)))?;
        let mut fields = file.fields(&head, address);
        fields.signature("HDF5 object header", *b"OHDR")?;
        let version = fields.u8()?;
        if version != 2 {
            return Err(Error::malformed("HDF5 object header", format!("version {version} is not known")));
        }
        let flags = fields.u8()?;
        // Times, and numbers that say when attributes move elsewhere.
        fields.skip(if flags & 0x20 == 0 { 0 } else { 16 } + if flags & 0x10 == 0 { 0 } else { 4 })?;
        let len = fields.number(1 << (flags & 3))?;
        let prefix = fields.offset().saturating_sub(file.offset(address));
        let mut object = Self { address, messages: Vec::new() };
        let whole = len.checked_add(prefix).and_then(|len| len.checked_add(4));
        let whole = whole.ok_or_else(|| Error::malformed("HDF5 object header", "a length beyond 2^64"))?;
        let mut open = vec![Block { address, len: whole }];
        let mut walked = Walked::default();
        let mut skip = prefix;
        while let Some(block) = open.pop() {
            walked.enter(&block)?;
            let bytes = file.bytes(block.address, block.len)?;
            check("HDF5 object header", &bytes, file.offset(block.address))?;
            let within = bytes.get(..bytes.len().saturating_sub(4)).unwrap_or_default();
            let mut fields = file.fields(within, block.address);
            if block.address != address {
                fields.signature("HDF5 object header", *b"OCHK")?;
            }
            fields.skip(usize::try_from(std::mem::take(&mut skip)).unwrap_or(usize::MAX))?;
            let order = if flags & 4 == 0 { 0 } else { 2 };
            // What is left when no message fits any more is a gap.
            while fields.rest().len() >= 4 + order {
                let (kind, len, flags) = (fields.u8()?, fields.u16()?, fields.u8()?);
                fields.skip(order)?;
                object.take(file, &mut fields, u16::from(kind), usize::from(len), flags, &mut open)?;
            }
        }
        Ok(object)
    }

    /// Takes one message, whose head was read; where it says that the header goes on, the place is opened.
    fn take(
        &mut self,
        file: &File,
        fields: &mut Fields<'_>,
        kind: u16,
        len: usize,
        flags: u8,
        open: &mut Vec<Block>,
    ) -> Result<()> {
        let at = fields.offset();
        let bytes = fields.take(len)?;
        if kind == kind::CONTINUATION {
            let mut fields = file.fields(bytes, 0);
            let (address, len) = (fields.place()?, fields.length()?);
            open.push(Block { address, len });
        }
        // Messages of kind 0 are room that is not used. They count.
        self.messages.push(Message { kind, shared: flags & 2 != 0, at, bytes: bytes.to_vec() });
        Ok(())
    }
}

/// Which parts of a header have been read.
#[derive(Default)]
struct Walked {
    seen: BTreeSet<u64>,
    bytes: u64,
}

impl Walked {
    fn enter(&mut self, block: &Block) -> Result<()> {
        self.bytes = self.bytes.saturating_add(block.len);
        if !self.seen.insert(block.address) {
            return Err(Error::malformed("HDF5 object header", "it goes on where it was before"));
        }
        if self.bytes > LONGEST {
            return Err(Error::malformed("HDF5 object header", format!("its messages take more than {LONGEST} bytes")));
        }
        Ok(())
    }
}

/// A message, from where it is if only its place is stored here.
///
/// Specification, IV.A.2.m and the encoding of shared messages.
pub(super) fn resolve(file: &File, message: &Message) -> Result<Message> {
    if !message.shared {
        return Ok(message.clone());
    }
    let mut fields = message.fields(file);
    let (version, place) = (fields.u8()?, fields.u8()?);
    let address = match (version, place) {
        (1, _) => {
            fields.skip(6 + usize::from(file.superblock.length_size))?;
            fields.place()?
        }
        (2, _) | (3, 2) => fields.place()?,
        _ => return Err(Error::malformed("HDF5 object header", "messages in a heap of shared ones are not read")),
    };
    let object = Object::read(file, address)?;
    let found = object.message(message.kind).filter(|found| !found.shared).cloned();
    found.ok_or_else(|| Error::malformed("HDF5 object header", "a shared message is not where it should be"))
}
