/*
 * cxx_handler.cc - a handler in C++, with an exception that stays inside.
 */
#include <stdexcept>
#include <string>

#include <weir/handler.h>

namespace
{

std::string greet(weir_bytes name)
{
    if (name.size == 0)
        throw std::invalid_argument("nobody to greet");
    return "hello " +
           std::string(static_cast<const char *>(name.data), name.size);
}

weir_status handle_message(weir_message *msg, void *)
{
    try {
        const std::string text = greet(weir_message_payload(msg));
        return weir_message_set_payload(msg, {text.data(), text.size()});
    } catch (const std::exception &problem) {
        return weir_message_reject(msg, "%s", problem.what());
    }
}

} // namespace

WEIR_HANDLER(cxx_handler, .handle_message = handle_message);
