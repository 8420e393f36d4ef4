"""The part of Substrait's messages in which Arrow tells what a scan asks; fields that are not among them are passed over."""

from typing import Any

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

_PACKAGE = "segue.substrait"
# message: field, number and type; a type with a star repeats, and fields with a slash before them exclude one another.
_MESSAGES = """
ExtendedExpression: extensions 2 Declaration*, referred_expr 3 Referred*
Declaration: extension_function 3 Function
Function: function_anchor 2 uint32, name 3 string
Referred: expression 1 Expression
Expression: /literal 1 Literal, /selection 2 Selection, /scalar_function 3 Call, /singular_or_list 8 Among
Literal: /boolean 1 bool, /i8 2 int32, /i16 3 int32, /i32 5 int32, /i64 7 int64, /string 12 string, /timestamp_tz 27 int64
Selection: direct_reference 1 Reference
Reference: struct_field 2 Place
Place: field 1 int32
Call: function_reference 1 uint32, arguments 4 Argument*
Argument: value 3 Expression
Among: value 1 Expression, options 2 Expression*
"""
_SCALARS = {
    "bool": FieldDescriptorProto.TYPE_BOOL,
    "int32": FieldDescriptorProto.TYPE_INT32,
    "int64": FieldDescriptorProto.TYPE_INT64,
    "uint32": FieldDescriptorProto.TYPE_UINT32,
    "string": FieldDescriptorProto.TYPE_STRING,
}


def _file() -> FileDescriptorProto:
    made = FileDescriptorProto(name="segue/substrait.proto", package=_PACKAGE, syntax="proto3")
    for line in _MESSAGES.strip().splitlines():
        name, _, fields = line.partition(": ")
        message = made.message_type.add(name=name)
        if "/" in fields:
            message.oneof_decl.add(name="kind")
        for said in fields.split(", "):
            _add(message, *said.split())
    return made


def _add(message: Any, name: str, number: str, kind: str) -> None:
    field = message.field.add(name=name.lstrip("/"), number=int(number))
    field.label = FieldDescriptorProto.LABEL_REPEATED if kind.endswith("*") else FieldDescriptorProto.LABEL_OPTIONAL
    if name.startswith("/"):
        field.oneof_index = 0
    if kind in _SCALARS:
        field.type = _SCALARS[kind]
    else:
        field.type, field.type_name = FieldDescriptorProto.TYPE_MESSAGE, f".{_PACKAGE}.{kind.rstrip('*')}"


_POOL = DescriptorPool()
_POOL.Add(_file())
ExtendedExpression = GetMessageClass(_POOL.FindMessageTypeByName(f"{_PACKAGE}.ExtendedExpression"))
