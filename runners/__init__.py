"""Where does it run, where do data enter and leave?"""
